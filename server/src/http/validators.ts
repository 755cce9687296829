import { AjvCompiler } from '@fastify/ajv-compiler';
import type { FastifySchemaCompiler } from 'fastify';

type Validators = FastifySchemaCompiler<unknown>;
type Validate = ReturnType<Validators>;

const OPTIONS = {
  removeAdditional: false,
  useDefaults: true,
  allErrors: false,
  // Else bounds are held against finite numbers only, and 1e400 is infinite: it would pass every maximum.
  strictNumbers: false,
} as const;

/**
 * Fastify's default drops unknown fields and turns "1" into 1: a misspelt `expiresAt` would become a grant
 * for ever. Bodies are taken as they are; only what comes out of an address, always text, is converted.
 */
export function strictValidators(): Validators {
  const compiler = AjvCompiler();
  const exact = once(() => compiler({}, { customOptions: { ...OPTIONS, coerceTypes: false } }));
  const converting = once(() => compiler({}, { customOptions: { ...OPTIONS, coerceTypes: true } }));
  return (route) => onFirstUse(() => (route.httpPart === 'body' ? exact()(route) : converting()(route)));
}

/** A validator that is compiled when the first request needs it: all of them took a sixth of the CPU of a start. */
function onFirstUse(compile: () => Validate): Validate {
  const compiled = once(compile);
  const validate: Validate = (value: unknown) => {
    const result = compiled()(value);
    validate.errors = compiled().errors ?? null;
    return result;
  };
  return validate;
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}
