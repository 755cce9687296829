import { createPublicKey, createSecretKey, type KeyObject } from 'node:crypto';

/** Bytes. HS256 is as strong as its secret, up to the 32 bytes of its hash (RFC 7518, 3.2). */
export const MIN_SECRET_BYTES = 32;
const MIN_RSA_BITS = 2_048;

export type Algorithm = 'HS256' | 'RS256' | 'ES256';

/** A key and the one algorithm that its kind allows. The token's own `alg` never chooses. */
export interface VerificationKey {
  readonly key: KeyObject;
  readonly algorithm: Algorithm;
}

/** @throws TypeError when it is too short, or is a PEM key: a public key as secret is known to everybody */
export function secretKey(secret: string): VerificationKey {
  if (secret.includes('-----BEGIN ')) throw new TypeError('the secret is a PEM key; give it as publicKey');
  if (Buffer.byteLength(secret) < MIN_SECRET_BYTES) {
    throw new TypeError(`the secret has fewer than ${MIN_SECRET_BYTES} bytes`);
  }
  return { key: createSecretKey(secret, 'utf8'), algorithm: 'HS256' };
}

/**
 * @param pem a public key in SPKI form, or a certificate
 * @throws TypeError for private keys, and for anything but RSA of 2,048 bits or EC on P-256
 */
export function publicKey(pem: string): VerificationKey {
  // Node would derive the public key; but then the signing key lies where only verification happens.
  if (pem.includes('PRIVATE KEY')) throw new TypeError('the public key is a private key');
  const key = parsePublicKey(pem);
  const algorithm = algorithmOf(key);
  if (!algorithm) throw new TypeError('the public key is neither RSA of at least 2,048 bits nor EC on P-256');
  return { key, algorithm };
}

function parsePublicKey(pem: string): KeyObject {
  try {
    return createPublicKey(pem);
  } catch (cause) {
    throw new TypeError('the public key is not in PEM form', { cause });
  }
}

function algorithmOf(key: KeyObject): Algorithm | undefined {
  const { modulusLength = 0, namedCurve } = key.asymmetricKeyDetails ?? {};
  if (key.asymmetricKeyType === 'rsa') return modulusLength >= MIN_RSA_BITS ? 'RS256' : undefined;
  if (key.asymmetricKeyType === 'ec') return namedCurve === 'prime256v1' ? 'ES256' : undefined;
  return undefined;
}
