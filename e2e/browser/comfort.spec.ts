import { devices, type Locator, type Page } from '@playwright/test';
import { expect, newDocument, test } from './desk.ts';

/** Writes a sentence and a comment on it, by the keyboard alone. */
async function remark(page: Page, text: Locator): Promise<void> {
  await text.click();
  await page.keyboard.type('A sentence.');
  await page.keyboard.press('Control+a');
  await page.keyboard.press('Control+Alt+m');
  await page.keyboard.type('A remark.');
  await page.keyboard.press('Control+Enter');
}

test('P10.5 on a phone nothing is cut off, and writing, sharing and comments are in reach', async ({
  openNew,
}) => {
  const { viewport, userAgent, deviceScaleFactor, isMobile, hasTouch } = devices['Pixel 7'];
  const phone = await openNew({ viewport, userAgent, deviceScaleFactor, isMobile, hasTouch });
  const overflow = () => phone.page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  expect(await overflow()).toBeLessThanOrEqual(0);
  const expectLargeFields = async () => {
    const fields = await phone.page.locator('input:visible, textarea:visible').all();
    expect(fields).not.toHaveLength(0);
    // Safari zooms into a smaller one, and does not go back.
    for (const field of fields)
      expect(
        await field.evaluate((element) => parseFloat(getComputedStyle(element).fontSize)),
      ).toBeGreaterThanOrEqual(16);
  };
  await expectLargeFields();
  await phone.text.tap();
  await phone.text.pressSequentially('Written on a phone.');
  await phone.expectStatus('saved');
  await phone.text.pressSequentially('\n'.repeat(24) + 'The last line.');
  const lastLine = phone.text.getByText('The last line.');
  for (const button of ['Share', 'Comments']) {
    const control = phone.page.getByRole('button', { name: button, exact: true });
    await expect(control).toBeInViewport();
    await control.tap();
    expect(await overflow()).toBeLessThanOrEqual(0);
    const closing = button === 'Share' ? 'Done' : 'Close comments';
    await expect(phone.page.getByRole('button', { name: closing })).toBeInViewport();
    await expectLargeFields();
    if (button === 'Comments') {
      await expect(lastLine).toBeInViewport({ ratio: 1 });
      const sheet = await phone.page.getByRole('complementary', { name: 'Comments' }).boundingBox();
      const { y = Infinity, height = 0 } = (await lastLine.boundingBox()) ?? {};
      expect(y + height).toBeLessThanOrEqual(sheet?.y ?? 0);
    }
    await phone.page.getByRole('button', { name: closing }).tap();
  }
  await phone.page.goto(`http://127.0.0.1:${phone.line.port}/`);
  await expect(phone.page.getByRole('heading', { name: 'Documents' })).toBeVisible();
  await expectLargeFields();
  expect(await overflow()).toBeLessThanOrEqual(0);
});

test('P10.6 everything can be done with the keyboard alone', async ({ openNew }) => {
  const { page, text, expectStatus } = await openNew();
  const tabTo = async (role: 'button' | 'textbox' | 'link', label: string) => {
    const target = page.getByRole(role, { name: label, exact: true });
    for (let pressed = 0; pressed < 40; pressed++) {
      if (await target.evaluate((element) => element === document.activeElement)) return target;
      await page.keyboard.press('Tab');
    }
    throw new Error(`${label} cannot be reached with Tab`);
  };

  await tabTo('link', 'All documents');
  await tabTo('button', 'Share');
  await page.keyboard.press('Enter');
  const dialog = page.getByRole('dialog');
  await expect(dialog).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(dialog).toBeHidden();
  await expect(page.getByRole('button', { name: 'Share' })).toBeFocused();

  // Inside the toolbar the arrows move.
  await tabTo('button', 'Text style: Text');
  await page.keyboard.press('ArrowRight');
  await expect(page.getByRole('button', { name: 'Bold' })).toBeFocused();
  await tabTo('textbox', 'Document text');
  await page.keyboard.press('Control+b');
  await page.keyboard.type('bold by hand');
  await expect(text.locator('strong')).toHaveText('bold by hand');
  await expectStatus('saved');
});

test('P10.7 dark and light follow the system until somebody chooses', async ({ openNew }) => {
  const { page } = await openNew({ colorScheme: 'dark' });
  const brightness = () =>
    page.evaluate(() => {
      const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
      if (!canvas) throw new Error('no canvas');
      canvas.fillStyle = getComputedStyle(document.body).backgroundColor;
      canvas.fillRect(0, 0, 1, 1);
      const [red = 0, green = 0, blue = 0] = canvas.getImageData(0, 0, 1, 1).data;
      return (red + green + blue) / 3;
    });
  await expect.poll(brightness).toBeLessThan(80);
  await page.emulateMedia({ colorScheme: 'light' });
  await expect.poll(brightness).toBeGreaterThan(180);

  await page.getByRole('button', { name: 'You are Ada' }).click();
  await page.getByRole('menuitemradio', { name: 'Dark' }).click();
  await expect.poll(brightness).toBeLessThan(80);
  await page.reload();
  await expect.poll(brightness).toBeLessThan(80);
});

test('P10.12 P10.23 the page loads nothing from elsewhere, its scripts compressed, and holds no secret', async ({
  weft,
  open,
}) => {
  const { page, line } = await open('ada');
  const foreign: string[] = [];
  page.on('request', (request) => {
    const { hostname, protocol } = new URL(request.url());
    if (protocol.startsWith('http') && hostname !== '127.0.0.1') foreign.push(request.url());
  });
  const scripts: string[] = [];
  page.on('response', (response) => {
    if (response.request().resourceType() === 'script') scripts.push(response.url());
  });
  await page.goto(`http://127.0.0.1:${line.port}/d/${await newDocument(weft)}`);
  await expect(page.locator('[data-status=saved]')).toBeVisible();
  expect(foreign).toEqual([]);
  expect(scripts.length).toBeGreaterThan(0);
  const whole = await page.evaluate(() =>
    (performance.getEntriesByType('resource') as PerformanceResourceTiming[])
      .filter(({ name }) => /\/assets\/.*\.(js|css)$/.test(name))
      .filter(({ encodedBodySize, decodedBodySize }) => encodedBodySize >= decodedBodySize)
      .map(({ name }) => name),
  );
  expect(whole).toEqual([]);
  const stored = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }]));
  expect(stored).not.toMatch(/eyJ/);
});

const LONG_WORD = 'averyveryveryverylongword'.repeat(6);

test('P10.5 a long word breaks where it has to, and pushes nothing out of sight', async ({ openNew }) => {
  const { page, text } = await openNew({ viewport: { width: 390, height: 844 } });
  await text.click();
  await text.pressSequentially('Something.');
  await text.press('Control+a');
  await page.keyboard.press('Control+Alt+m');
  await page.getByRole('textbox', { name: 'Write a comment' }).fill(LONG_WORD);
  await page.keyboard.press('Control+Enter');
  const panel = page.getByRole('complementary', { name: 'Comments' });
  await expect(panel).toContainText(LONG_WORD);
  const cutOff = () =>
    panel.evaluate((element) =>
      [...element.querySelectorAll('*')].some(
        (part) => part.getBoundingClientRect().right > window.innerWidth,
      ),
    );
  expect(await cutOff()).toBe(false);
});

test('P10.5 on a tablet comments lie beside the text, and what one is at stays in sight', async ({
  openNew,
}) => {
  const { page, text } = await openNew({ viewport: { width: 820, height: 700 } });
  await text.click();
  await page.keyboard.insertText(
    'A sentence that is long enough for several lines on a narrow page. '.repeat(60),
  );
  await page.keyboard.press('Enter');
  await page.keyboard.type('The last line.');
  await page.keyboard.press('Shift+Home');
  await page.keyboard.press('Control+Alt+m');
  await expect(page.getByRole('textbox', { name: 'Write a comment' })).toBeFocused();
  await expect(text.getByText('The last line.')).toBeInViewport();
  const panel = await page.getByRole('complementary', { name: 'Comments' }).boundingBox();
  const paragraph = await text.locator('p').first().boundingBox();
  expect(paragraph?.width).toBeGreaterThan(400);
  expect((paragraph?.x ?? 0) + (paragraph?.width ?? 0)).toBeLessThanOrEqual(panel?.x ?? 0);
});

test('P9.4 P10.5 of many people a phone shows how many and who is at work, and all of them when asked', async ({
  weft,
  open,
}) => {
  const name = await newDocument(weft, { grace: 'editor', mira: 'editor', omar: 'editor' });
  const ada = await open('ada', name, { viewport: { width: 390, height: 844 } });
  for (const person of ['grace', 'mira', 'omar'] as const) {
    const { text, expectStatus } = await open(person, name);
    await expectStatus('saved');
    if (person === 'omar') await text.click();
  }
  await expect(ada.page.getByRole('button', { name: 'Omar: go to their caret' })).toBeVisible();
  await ada.page.getByRole('button', { name: '2 more people' }).click();
  const everybody = ada.page.getByRole('dialog', { name: '3 others are here' });
  for (const person of ['Grace', 'Mira', 'Omar']) await expect(everybody).toContainText(person);
  await everybody.getByRole('button', { name: 'Mira, without a caret in the text' }).click();
  await expect(everybody).toBeHidden();
  await expect(ada.page.getByText('Mira is here, but has no caret in the text.')).toBeVisible();
});

test('P10.6 a dialog takes the focus to where one types, and gives it back', async ({ openNew }) => {
  const { page } = await openNew();
  await page.getByRole('button', { name: 'Share' }).click();
  await expect(page.getByRole('combobox', { name: 'Person or group' })).toBeFocused();
  await page.keyboard.press('Escape');
  await expect(page.getByRole('button', { name: 'Share' })).toBeFocused();
});

test('P10.6 a dialog that was opened from a menu gives the focus back to the menu’s button', async ({
  weft,
  open,
}) => {
  const name = await newDocument(weft);
  const { page } = await open('ada');
  const more = page.getByRole('listitem').filter({ hasText: name }).getByRole('button');
  for (const key of ['Escape', 'Enter']) {
    await more.press('Enter');
    await page.getByRole('menuitem', { name: 'Rename' }).press('Enter');
    await expect(page.getByRole('dialog').getByRole('textbox')).toBeFocused();
    await page.keyboard.type(`${name} again`);
    await page.keyboard.press(key);
    await expect(page.getByRole('dialog')).toBeHidden();
    await expect(more).toBeFocused();
  }
});

test('P10.6 a comment is written and left by the keyboard, which is back in the text then', async ({
  openNew,
}) => {
  const { page, text } = await openNew();
  await remark(page, text);
  await expect(text).toBeFocused();
  await page.keyboard.type(' Another.');
  await expect(text).toHaveText('A sentence. Another.');

  const panel = page.getByRole('complementary', { name: 'Comments' });
  await panel.getByRole('textbox', { name: 'Reply' }).focus();
  await page.keyboard.type('Half a re');
  await page.keyboard.press('Escape');
  await expect(panel).toBeVisible();
  await panel.getByRole('button', { name: 'Close comments' }).focus();
  await page.keyboard.press('Escape');
  await expect(panel).toBeHidden();
  await expect(text).toBeFocused();
});

test('P10.6 the shortcuts are shown at a key, which gives the text back', async ({ openNew }) => {
  const { page, text } = await openNew();
  await text.click();
  await page.keyboard.press('Control+/');
  const dialog = page.getByRole('dialog', { name: 'Keyboard shortcuts' });
  await expect(dialog.getByRole('listitem').filter({ hasText: 'Bold' })).toContainText('Ctrl+B');
  await page.keyboard.press('Escape');
  await expect(dialog).toBeHidden();
  await expect(text).toBeFocused();
  await page.getByRole('button', { name: 'Keyboard shortcuts' }).click();
  await expect(dialog).toBeVisible();
});

test('P9.18 a link is followed, changed and taken away where it stands', async ({ openNew }) => {
  const { page, text } = await openNew();
  await text.click();
  await text.pressSequentially('See https://example.com/one now');
  await text.press('Home');
  for (let step = 0; step < 7; step++) await text.press('ArrowRight');
  const link = page.getByRole('link', { name: 'example.com/one', exact: true });
  await expect(link).toHaveAttribute('href', 'https://example.com/one');
  await page.getByRole('button', { name: 'Edit link' }).click();
  await page.getByRole('textbox', { name: 'Address' }).fill('example.com/two');
  await page.keyboard.press('Enter');
  await expect(text.getByRole('link')).toHaveAttribute('href', 'https://example.com/two');
  await expect(page.getByRole('dialog', { name: 'Link' })).toBeHidden();
  await page.getByRole('button', { name: 'Remove link' }).click();
  await expect(text.getByRole('link')).toHaveCount(0);
  await expect(text).toHaveText('See https://example.com/one now');
});

test('P9.18 a click on a link places the writer’s caret in it, and takes a reader where it leads', async ({
  openTogether,
  weft,
}) => {
  const { ada, grace } = await openTogether({ grace: 'viewer' });
  await ada.text.click();
  await ada.text.pressSequentially(`See ${weft.url}/healthz now`);
  await ada.text.getByRole('link').click();
  await expect(ada.page.getByRole('button', { name: 'Edit link' })).toBeVisible();
  await ada.page.keyboard.type('y');
  await expect(ada.text.getByRole('link')).toHaveText(/y/);
  expect(ada.page.context().pages()).toHaveLength(1);

  const opened = grace.page.waitForEvent('popup');
  await grace.text.getByRole('link').click();
  expect((await opened).url()).toBe(`${weft.url}/healthz`);
  expect(grace.page.context().pages()).toHaveLength(2);
});

test('P9.31 an input method has Enter and Escape to itself in a title, a comment and a dialog', async ({
  openNew,
}) => {
  const { page, text } = await openNew();
  const ime = await page.context().newCDPSession(page);
  const compose = (letters: string) =>
    ime.send('Input.imeSetComposition', {
      text: letters,
      selectionStart: letters.length,
      selectionEnd: letters.length,
    });

  const title = page.getByRole('textbox', { name: 'Document title' });
  await title.fill('');
  for (const key of ['Enter', 'Escape']) {
    await compose('きかく');
    await page.keyboard.press(key);
    await expect(title).toBeFocused();
    await expect(title).toHaveValue(/きかく/);
  }
  await title.fill('企画');
  await page.keyboard.press('Enter');
  await expect(title).not.toBeFocused();
  await expect(title).toHaveValue('企画');

  await text.click();
  await page.keyboard.press('ControlOrMeta+Alt+m');
  const comment = page.getByRole('textbox', { name: 'Write a comment' });
  await expect(comment).toBeFocused();
  await compose('いい');
  await page.keyboard.press('Escape');
  await expect(comment).toBeFocused();
  await page.keyboard.press('Escape');

  await page.getByRole('button', { name: 'Share' }).click();
  await page.getByRole('combobox', { name: 'Person or group' }).focus();
  await compose('ゆき');
  await page.keyboard.press('Escape');
  await expect(page.getByRole('dialog')).toBeVisible();
});

test('P9.21 P9.22 P9.23 P9.24 a heading names the document, it is copied as Markdown and printed whole, and after a reload one goes on where one was', async ({
  open,
}) => {
  const { page, text, expectStatus } = await open('tomas');
  await page
    .getByRole('button', { name: /New document|Start the first document/ })
    .first()
    .click();
  await expect(text).toBeFocused();
  await page.keyboard.type('# Weaving plan\n');
  await expect(page.getByRole('textbox', { name: 'Document title' })).toHaveValue('Weaving plan');
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await page.getByRole('button', { name: 'Copy as Markdown' }).click();
  await expect(page.getByText('Copied as Markdown')).toBeVisible();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe('# Weaving plan\n\n\n');
  await text.focus();
  for (let line = 1; line <= 60; line++) {
    await page.keyboard.insertText(`Line ${line}`);
    await page.keyboard.press('Enter');
  }
  await expectStatus('saved');
  const sheets = (await page.pdf()).toString('latin1').match(/\/Type\s*\/Page\b/g);
  expect(sheets?.length).toBeGreaterThan(1);
  await page.reload();
  await expect(text).toBeFocused();
  await expect(text.getByText('Line 60')).toBeInViewport();
  await page.keyboard.type('And on.');
  await expect(text.locator('p').last()).toHaveText('And on.');
});

test('P9.5 a pasted picture is left out, the page says so, and what is around it keeps its form', async ({
  openNew,
}) => {
  const { page, text } = await openNew();
  await text.click();
  await text.evaluate((element) => {
    const clipboardData = new DataTransfer();
    clipboardData.items.add(new File(['picture'], 'picture.png', { type: 'image/png' }));
    element.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true }));
  });
  await expect(page.getByText('the file was left out')).toBeVisible();
  await text.evaluate((element) => {
    const clipboardData = new DataTransfer();
    const item = (level: number, mark: string, words: string) =>
      `<p class=MsoListParagraph style='text-indent:-18pt;mso-list:l0 level${level} lfo1'><![if !supportLists]>` +
      `<span style='mso-list:Ignore'>${mark}<span>&nbsp;&nbsp;</span></span><![endif]>${words}</p>`;
    clipboardData.setData(
      'text/html',
      '<h5>Small</h5><p>Before <img src="/nowhere.png"> and after</p>' +
        `${item(1, '·', 'one')}\n${item(2, 'a.', 'inner')}\n${item(1, '·', 'two')}<p>Last</p>${item(1, '1)', 'first')}`,
    );
    element.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true }));
  });
  await expect(page.getByText('the pictures were left out')).toBeVisible();
  await expect(text.getByRole('heading', { level: 3 })).toHaveText('Small');
  await expect(text).toContainText('Before and after');
  await expect(text.locator('ul > li > p')).toHaveText(['one', 'two']);
  await expect(text.locator('ul > li > ol > li')).toHaveText('inner');
  await expect(text.locator('p + ol > li')).toHaveText(['inner', 'first']);

  await text.press('Control+a');
  await text.evaluate((element) => {
    const clipboardData = new DataTransfer();
    const task = (words: string, checked: boolean) =>
      `<li role="checkbox" aria-checked="${checked}"><img src="data:," aria-roledescription="checkbox"><p>${words}</p></li>`;
    clipboardData.setData(
      'text/html',
      `<b style="font-weight:normal"><ul>${task('warp', true)}${task('weft', false)}<ul>${task('thread', true)}</ul></ul></b>` +
        '<p style="position:fixed"><a href="javascript:pwned()">run</a></p>' +
        '<ul><li><input type="checkbox" checked> loom</li><li>[ ] shuttle</li></ul><ul><li>plain</li></ul>',
    );
    element.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true }));
  });
  const tasks = text.locator('li[data-checked]');
  await expect(tasks.locator('> div > p')).toHaveText(['warp', 'weft', 'thread', 'loom', 'shuttle']);
  const checked = await tasks.evaluateAll((items) => items.map((item) => item.getAttribute('data-checked')));
  expect(checked).toEqual(['true', 'false', 'true', 'true', 'false']);
  await expect(text.locator('li:not([data-checked])')).toHaveText('plain');
  await expect(text.locator('a, p[style]')).toHaveCount(0);
});

test('P10.19 every paragraph, list and quote reads in the direction of its own words', async ({
  openNew,
}) => {
  const { page, text } = await openNew();
  await text.click();
  await text.pressSequentially('Left to right\nمن اليمين إلى اليسار');
  const indents = await text.locator('p').evaluateAll((paragraphs) =>
    paragraphs.map((paragraph) => {
      const words = document.createRange();
      words.selectNodeContents(paragraph);
      return Math.round(words.getBoundingClientRect().left - paragraph.getBoundingClientRect().left);
    }),
  );
  expect(indents[0]).toBe(0);
  expect(indents[1]).toBeGreaterThan(100);
  await text.pressSequentially('\n- بند\n\n> اقتباس\n\n- item\n\n[ ] مهمة');
  const directions = await text
    .locator('ul, blockquote')
    .evaluateAll((blocks) => blocks.map((block) => getComputedStyle(block).direction));
  expect(directions.slice(0, 3)).toEqual(['rtl', 'rtl', 'ltr']);
  const box = await text.getByRole('checkbox').boundingBox();
  const task = await text.getByText('مهمة').boundingBox();
  expect(box?.x).toBeGreaterThan((task?.x ?? Infinity) + (task?.width ?? 0));

  await page.getByRole('textbox', { name: 'Document title' }).fill('خطة 5');
  await text.press('Control+Alt+m');
  await page.getByRole('textbox', { name: 'Write a comment' }).fill('ملاحظة 5');
  await page.getByRole('button', { name: 'Comment', exact: true }).last().click();
  for (const words of [page.getByRole('textbox', { name: 'Document title' }), page.getByText('ملاحظة 5')]) {
    await expect(words).toHaveCSS('direction', 'rtl');
  }
});

test('P10.20 who asks for less motion is not scrolled about', async ({ openNew }) => {
  const { page, text } = await openNew({ reducedMotion: 'reduce' });
  await page.evaluate(() => {
    const kinds: unknown[] = [];
    Element.prototype.scrollIntoView = (options) =>
      void kinds.push((options as ScrollIntoViewOptions).behavior);
    Object.assign(window, { kinds });
  });
  await remark(page, text);
  await page.getByRole('listitem', { name: 'Thread by Ada' }).click();
  const kinds = () => page.evaluate(() => (window as unknown as { kinds: unknown[] }).kinds);
  await expect.poll(async () => (await kinds()).length).toBeGreaterThan(1);
  expect(new Set(await kinds())).toEqual(new Set(['instant']));
});
