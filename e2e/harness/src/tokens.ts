import jsonwebtoken from 'jsonwebtoken';

/** The secret that {@link startWeft} gives the server. */
export const TEST_SECRET = 'a secret that only tests know, 32 bytes or more';

export interface TokenClaims {
  readonly sub: string;
  readonly name?: string;
  readonly color?: string;
  readonly tenant?: string;
  readonly groups?: readonly string[];
  readonly scope?: string;
  /** Document name or `prefix*` → role. */
  readonly grants?: Readonly<Record<string, string>>;
  /** Seconds from now. */
  readonly expiresIn?: number;
}

export function mintToken({ expiresIn = 3_600, ...claims }: TokenClaims, secret = TEST_SECRET): string {
  return jsonwebtoken.sign(claims, secret, { algorithm: 'HS256', expiresIn });
}
