import type { Page } from '@playwright/test';
import type { WeftServer } from '@weft/harness';
import { serveSite } from './bindings/site.ts';
import { expect, newDocument, startDemo, test as base, tokenOf } from './desk.ts';

interface Visit {
  readonly kind: 'codemirror' | 'quill';
  readonly name: string;
  readonly person: 'Ada' | 'Grace' | 'Mira';
}

interface Fixtures {
  /** Opens a page with one editor, which must have had no error when the test ends. */
  visit: (visit: Visit) => Promise<Page>;
}

interface WorkerFixtures {
  /** The origin of the pages. */
  origin: string;
  weft: WeftServer;
}

const test = base.extend<Fixtures, WorkerFixtures>({
  origin: [
    // eslint-disable-next-line no-empty-pattern -- Playwright reads from this pattern which fixtures are needed
    async ({}, use) => {
      const site = await serveSite();
      await use(site.origin);
      site.close();
    },
    { scope: 'worker', timeout: 60_000 },
  ],
  weft: [
    async ({ origin }, use) => {
      const server = await startDemo({ env: { WEFT_ALLOWED_ORIGINS: origin } });
      await use(server);
      await server.remove();
    },
    { scope: 'worker', timeout: 120_000 },
  ],
  visit: async ({ weft, browser, origin }, use) => {
    const errors: string[] = [];
    const pages: Page[] = [];
    await use(async ({ kind, name, person }) => {
      const page = await (await browser.newContext()).newPage();
      pages.push(page);
      page.on('pageerror', (error) => errors.push(`${person}: ${error}`));
      const token = await tokenOf(weft, { sub: person.toLowerCase(), name: person });
      const url = `${weft.url.replace('http', 'ws')}/collab`;
      await page.goto(`${origin}/?${new URLSearchParams({ kind, name, person, url, token })}`);
      await expectSaved(page);
      return page;
    });
    for (const page of pages) await page.context().close();
    expect(errors).toEqual([]);
  },
});

// One worker's site and server serve all of these.
test.describe.configure({ mode: 'default' });

const expectSaved = (page: Page) => expect.poll(() => page.evaluate(() => window.isSaved())).toBe(true);
const sharedText = (page: Page) => page.evaluate(() => window.sharedText());
const editorOf = (page: Page) => page.locator('.cm-content, .ql-editor');

/** Both write at once, at the start and at the end of a common line, and go on until both have everything. */
async function writeTogether(ada: Page, grace: Page): Promise<void> {
  await editorOf(ada).click();
  await ada.keyboard.type('Common. ');
  await expect(editorOf(grace)).toContainText('Common.');
  await editorOf(grace).click();
  await grace.keyboard.press('Control+End');
  await ada.keyboard.press('Control+Home');
  await Promise.all([
    ada.keyboard.type('The warp is held. ', { delay: 15 }),
    grace.keyboard.type('The weft goes over and under.', { delay: 15 }),
  ]);
  for (const page of [ada, grace]) {
    await expect(editorOf(page)).toHaveText(
      /^The warp is held\. .*Common\. .*The weft goes over and under\./,
    );
    await expectSaved(page);
  }
  expect(await sharedText(ada)).toBe(await sharedText(grace));
}

test('P9.14 two CodeMirror editors converge and show each other’s carets and selections', async ({
  weft,
  visit,
}) => {
  const name = await newDocument(weft, { grace: 'editor', mira: 'viewer' });
  const [ada, grace] = [
    await visit({ kind: 'codemirror', name, person: 'Ada' }),
    await visit({ kind: 'codemirror', name, person: 'Grace' }),
  ];
  await writeTogether(ada, grace);
  await expect(ada.locator('.cm-ySelectionInfo')).toHaveText('Grace');
  await expect(grace.locator('.cm-ySelectionInfo')).toHaveText('Ada');
  await grace.keyboard.press('Control+a');
  await expect(ada.locator('.cm-ySelection').first()).toBeVisible();

  await grace.keyboard.type('All anew.');
  const mira = await visit({ kind: 'codemirror', name, person: 'Mira' });
  for (const page of [ada, mira]) {
    await expect(editorOf(page)).toContainText('All anew.');
    // What others' names at their carets are no part of.
    await expect.poll(() => sharedText(page)).toBe('[{"insert":"All anew."}]');
  }
});

test('P9.14 two Quill editors converge, with formats, and show each other’s cursors', async ({
  weft,
  visit,
}) => {
  const name = await newDocument(weft, { grace: 'editor', mira: 'viewer' });
  const [ada, grace] = [
    await visit({ kind: 'quill', name, person: 'Ada' }),
    await visit({ kind: 'quill', name, person: 'Grace' }),
  ];
  await writeTogether(ada, grace);
  await expect(ada.locator('.ql-cursor-name')).toHaveText('Grace');
  await expect(grace.locator('.ql-cursor-name')).toHaveText('Ada');

  await grace.keyboard.press('Control+b');
  await grace.keyboard.type(' Bold.');
  await expect(ada.locator('.ql-editor strong')).toHaveText(' Bold.');
  await ada.keyboard.press('Control+a');
  await expect(grace.locator('.ql-cursor-selection-block').first()).toBeAttached();
  const mira = await visit({ kind: 'quill', name, person: 'Mira' });
  await expect(mira.locator('.ql-editor strong')).toHaveText(' Bold.');
  expect(await sharedText(mira)).toBe(await sharedText(ada));
});
