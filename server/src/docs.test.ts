import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { generatedDocs } from '../../scripts/docs.ts';

describe('the documentation says what the code does', async () => {
  test.each(await generatedDocs())('$url.pathname is what `npm run docs` writes', ({ url, content }) => {
    expect(readFileSync(url, 'utf8')).toBe(content);
  });
});
