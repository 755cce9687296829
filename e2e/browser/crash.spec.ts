import type { Page } from '@playwright/test';
import { seededRandom, runSeed } from '@weft/harness';
import { expect, newDocument, openDesk, shownText, startDemo, test } from './desk.ts';

declare global {
  interface Window {
    savedText: string;
  }
}

test('P1.8 kill -9 in mid-sentence: everything that the page called saved is there after the restart', async ({
  browser,
}) => {
  test.setTimeout(300_000);
  const seed = runSeed();
  test.info().annotations.push({ type: 'seed', description: String(seed) });
  const random = seededRandom(seed);
  const server = await startDemo();
  try {
    const name = await newDocument(server, { grace: 'viewer' });
    for (let round = 1; round <= 3; round++) {
      const ada = await openDesk({ server, browser, person: 'ada', document: name });
      await ada.expectStatus('saved');
      await ada.text.click();
      await ada.page.keyboard.press('Control+End');
      await watchSavedText(ada.page);
      const before = (await shownText(ada.page)).length;
      const typing = (async () => {
        for (let word = 0; word < 400 && server.process.running; word++) {
          await ada.page.keyboard.type(`round ${round} word ${word}, `);
          // A pause as people make it, in which the page gets to say that all is saved.
          if (random.chance(0.3))
            await ada.page
              .locator('[data-status=saved]')
              .waitFor({ timeout: 1_000 })
              .catch(() => undefined);
        }
      })();
      const characters = 60 + random.integer(300);
      // Asked in the page, frame by frame: asking it from here takes the time in which it would say so.
      await ada.page.waitForFunction((length) => window.savedText.length > length, before + characters, {
        timeout: 90_000,
      });
      await server.kill9();
      await typing;
      await ada.expectStatus('offline');
      const saved = await ada.page.evaluate(() => window.savedText);
      // Her copy must not help the server out.
      await ada.close();
      await server.start();
      const grace = await openDesk({ server, browser, person: 'grace', document: name });
      await grace.expectStatus('read-only');
      const found = await shownText(grace.page);
      expect(found.startsWith(saved), `saved: …${saved.slice(-60)}\nfound: …${found.slice(-60)}`).toBe(true);
      await grace.close();
    }
  } finally {
    await server.remove();
  }
});

test('P1.11 after a restart the open page goes on by itself, with nothing lost', async ({ browser }) => {
  test.setTimeout(180_000);
  const server = await startDemo();
  const ada = await openDesk({ server, browser, person: 'ada', document: await newDocument(server) });
  await ada.expectStatus('saved');
  await ada.text.click();
  await ada.text.pressSequentially('before, ');
  await server.kill9();
  await ada.text.pressSequentially('between, ');
  await ada.expectStatus('offline');
  await server.start();
  await ada.text.pressSequentially('after.');
  await ada.expectStatus('saved');
  await ada.page.reload();
  await expect(ada.text).toHaveText('before, between, after.');
  expect(ada.errors).toEqual([]);
  await ada.close();
  await server.remove();
});

/** Notes, frame by frame, the text that stands on the screen beside the word "Saved". */
async function watchSavedText(page: Page): Promise<void> {
  await page.evaluate(() => {
    window.savedText = '';
    const look = () => {
      if (document.querySelector('[data-status=saved]')) window.savedText = window.shownText();
      requestAnimationFrame(look);
    };
    look();
  });
}
