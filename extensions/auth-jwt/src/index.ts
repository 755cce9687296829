export { DEFAULT_TENANT } from './claims.ts';
export * from './expiry.ts';
export * from './extension.ts';
export { MIN_SECRET_BYTES } from './keys.ts';
export * from './sign.ts';
export * from './verifier.ts';
