import { useState, type FormEvent } from 'react';
import { Button } from '../ui/button.tsx';
import { MessagePage } from '../ui/message-page.tsx';
import { personOfToken } from './tokens.ts';

/** For a server in production, which hands out no demo tokens. */
export function SignInPage({ onToken }: { onToken: (token: string) => void }) {
  const [token, setToken] = useState('');
  const [refused, setRefused] = useState(false);

  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (personOfToken(token.trim())) onToken(token.trim());
    else setRefused(true);
  };

  return (
    <MessagePage title="Bring a token">
      <p>
        This server runs in production mode: it verifies tokens but hands out none. Your application signs a
        JWT for each person and opens this page with it:
      </p>
      <pre className="code-sample">{`${location.origin}/#token=eyJhbGciOi…`}</pre>
      <p>
        The page keeps the token in memory only and takes it out of the address at once. For a first try with
        a shared secret, make one on the server and paste it here:
      </p>
      <pre className="code-sample">{`WEFT_JWT_SECRET=… npx weft token --sub ada --name Ada`}</pre>
      <form className="sign-in" onSubmit={submit}>
        <label htmlFor="token">Token</label>
        <textarea
          id="token"
          rows={3}
          autoComplete="off"
          spellCheck={false}
          required
          value={token}
          aria-invalid={refused}
          aria-describedby={refused ? 'token-refused' : undefined}
          onChange={(event) => {
            setToken(event.target.value);
            setRefused(false);
          }}
        />
        {refused && (
          <p id="token-refused" className="field-error">
            That is not a JWT with a <code>sub</code> claim.
          </p>
        )}
        <Button type="submit" variant="primary">
          Continue
        </Button>
      </form>
    </MessagePage>
  );
}
