import { Component, type ReactNode } from 'react';
import { Button } from './button.tsx';
import { MessagePage } from './message-page.tsx';

interface Caught {
  readonly error?: Error;
}

/** Where a view fails the person is told, and what to do: React alone would leave an empty page. */
export class ErrorBoundary extends Component<{ readonly children: ReactNode }, Caught> {
  override readonly state: Caught = {};

  static getDerivedStateFromError(error: Error): Caught {
    return { error };
  }

  override render(): ReactNode {
    const { error } = this.state;
    if (!error) return this.props.children;
    const [title, text] = isMissingPart(error)
      ? [
          'Load the page again',
          'A part of it could not be fetched: Weft has been updated meanwhile, or the network is away.',
        ]
      : ['Something went wrong', 'The page cannot go on like this. Load it again.'];
    return (
      <MessagePage
        title={title}
        actions={
          <>
            <Button variant="primary" onClick={() => location.reload()}>
              Load again
            </Button>
            <a className="button" href="/">
              All documents
            </a>
          </>
        }
      >
        <p>{text}</p>
      </MessagePage>
    );
  }
}

/** What browsers say of a script, or Vite of a style sheet, that is no longer there; none gives it a type of its own. */
function isMissingPart({ message }: Error): boolean {
  return /dynamically imported module|importing a module script|preload CSS/i.test(message);
}
