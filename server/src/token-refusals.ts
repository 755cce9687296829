import type { TokenVerifier } from '@weft/auth-jwt';
import { WeftError, type Logger } from '@weft/common';

/**
 * An issuer or a configuration that is wrong refuses everybody, and a WebSocket client is told a code and no more: the log
 * has to say what is wrong. Of tokens once for each reason, since anybody can send bad ones; no part of them is a reason.
 */
export function tellingWhy(verifier: TokenVerifier, logger: Logger): TokenVerifier {
  const told = new Set<string>();
  const tell = (error: unknown): void => {
    if (!(error instanceof WeftError)) return;
    const { code, detail, cause } = error;
    if (code === 'permissions-unavailable') {
      logger.warn({ err: cause }, 'the keys of the token issuer cannot be fetched: see WEFT_JWKS_URL');
    }
    if (code !== 'token-invalid' || detail === undefined || told.has(detail)) return;
    told.add(detail);
    logger.warn(
      { reason: detail },
      'a token was refused; others that are for the same reason are not listed',
    );
  };
  return {
    async verify(token) {
      try {
        return await verifier.verify(token);
      } catch (error) {
        tell(error);
        throw error;
      }
    },
  };
}
