import { devices, type Locator } from '@playwright/test';
import { expect, expectSameText, test } from './desk.ts';

const cellsOf = (text: Locator): Promise<string[][]> =>
  text
    .locator('tr')
    .evaluateAll((rows) =>
      rows.map((row) => [...(row as HTMLTableRowElement).cells].map(({ textContent }) => textContent)),
    );

/** Pastes HTML where the caret is. */
const paste = (text: Locator, html: string): Promise<void> =>
  text.evaluate((element, content) => {
    const clipboardData = new DataTransfer();
    clipboardData.setData('text/html', content);
    element.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true }));
  }, html);

test('P9.27 a slash at a line’s beginning offers blocks, which the keyboard finds and takes', async ({
  openNew,
}) => {
  const { page, text } = await openNew();
  const list = page.getByRole('listbox', { name: 'Blocks' });
  await text.click();
  await page.keyboard.type('and/or ');
  await expect(list).toBeHidden();
  await page.keyboard.press('Enter');
  await page.keyboard.type('/');
  await expect(list.getByRole('option')).toHaveCount(11);
  await page.keyboard.type('head');
  await expect(list.getByRole('option')).toHaveText([/Heading 1/, /Heading 2/, /Heading 3/]);
  await page.keyboard.press('ArrowDown');
  const second = list.getByRole('option', { name: 'Heading 2' });
  await expect(second).toHaveAttribute('aria-selected', 'true');
  await expect(text).toHaveAttribute('aria-activedescendant', (await second.getAttribute('id')) ?? '');
  await expect(text).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(list).toBeHidden();
  await expect(text).not.toHaveAttribute('aria-activedescendant');
  await page.keyboard.type('Warp and weft');
  await expect(text.getByRole('heading', { level: 2, name: 'Warp and weft' })).toBeVisible();

  await page.keyboard.press('Enter');
  await page.keyboard.type('/to');
  await list.getByRole('option', { name: 'Task list' }).click();
  await page.keyboard.type('thread the loom');
  await expect(text.getByRole('listitem')).toContainText('thread the loom');
  await expect(text.getByRole('checkbox')).not.toBeChecked();
  await page.keyboard.press('Control+z');
  await expect(text.getByRole('checkbox')).toHaveCount(0);
});

test('P9.27 Escape leaves the slash as text, and nothing that fits lets Enter be Enter', async ({
  openNew,
}) => {
  const { page, text } = await openNew();
  const list = page.getByRole('listbox', { name: 'Blocks' });
  await text.click();
  await page.keyboard.type('/h');
  await expect(list).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(list).toBeHidden();
  await page.keyboard.type('ome');
  await expect(list).toBeHidden();
  await page.keyboard.press('Enter');
  await page.keyboard.type('/usr');
  await expect(list).toBeHidden();
  await page.keyboard.press('Enter');
  await expect(text.locator('p')).toHaveText(['/home', '/usr', '']);
  await page.keyboard.type('/');
  await expect(list).toBeVisible();
  await page.getByRole('button', { name: 'Share' }).focus();
  await expect(list).toBeHidden();
});

test('P9.27 the menu opens for whoever typed the slash alone, and never for a reader', async ({
  openTogether,
}) => {
  const { ada, grace, yuki } = await openTogether({ grace: 'editor', yuki: 'commenter' });
  await ada.text.click();
  await ada.page.keyboard.type('/');
  await expect(grace.text).toContainText('/');
  await expect(yuki.text).toContainText('/');
  for (const { page, text } of [grace, yuki]) {
    await text.click();
    await page.keyboard.press('End');
    await page.keyboard.press('ArrowLeft');
    await page.keyboard.press('ArrowRight');
  }
  await yuki.page.keyboard.type('/');
  await expect(ada.page.locator('.remote-caret[data-person=grace]')).toBeAttached();
  await expect(ada.page.getByRole('listbox')).toBeVisible();
  for (const { page } of [grace, yuki]) await expect(page.getByRole('listbox')).toHaveCount(0);
});

test('P9.28 a table is filled with Tab, and grows and shrinks for everybody', async ({ openTogether }) => {
  const { ada, grace } = await openTogether({ grace: 'editor' });
  await ada.text.click();
  await ada.page.keyboard.type('/table');
  await ada.page.keyboard.press('Enter');
  for (const word of ['Yarn', 'Dye', 'Length', 'Merino', 'Woad', '120', 'Alpaca', 'Weld', '80']) {
    await ada.page.keyboard.type(word);
    await ada.page.keyboard.press('Tab');
  }
  // Behind the last cell Tab made a row.
  await ada.page.keyboard.type('Linen');
  const first = [
    ['Yarn', 'Dye', 'Length'],
    ['Merino', 'Woad', '120'],
    ['Alpaca', 'Weld', '80'],
    ['Linen', '', ''],
  ];
  await expect.poll(() => cellsOf(grace.text)).toEqual(first);
  await expect(grace.text.getByRole('columnheader')).toHaveText(['Yarn', 'Dye', 'Length']);

  await grace.text.getByText('Weld').click();
  const choose = async (action: string) => {
    await grace.page.getByRole('button', { name: 'Table', exact: true }).click();
    await grace.page.getByRole('menuitem', { name: action }).click();
  };
  await choose('Delete row');
  await expect(grace.text).toBeFocused();
  await grace.text.getByText('Woad').click();
  await choose('Delete column');
  await grace.page.getByRole('button', { name: 'Insert row below' }).click();
  const second = [
    ['Yarn', 'Length'],
    ['Merino', '120'],
    ['', ''],
    ['Linen', ''],
  ];
  await expect.poll(() => cellsOf(ada.text)).toEqual(second);
  // Undo is of one's own doing alone: hers, not the words that Ada wrote meanwhile.
  await ada.page.keyboard.type(' and hemp');
  await expect(grace.text).toContainText('Linen and hemp');
  for (let step = 0; step < 3; step++) await grace.text.press('Control+z');
  await expect.poll(() => cellsOf(ada.text)).toEqual([...first.slice(0, 3), ['Linen and hemp', '', '']]);

  await choose('Delete table');
  await expect(ada.text.getByRole('table')).toHaveCount(0);
  await expect(grace.page.getByRole('button', { name: 'Insert table' })).toBeVisible();
});

test('P9.28 a row and a column that two people add at once make one table, which nobody’s screen mends for ever', async ({
  openTogether,
}) => {
  const { ada, grace, yuki } = await openTogether({ grace: 'editor', yuki: 'viewer' });
  await ada.text.click();
  await ada.page.getByRole('button', { name: 'Insert table' }).click();
  await ada.page.keyboard.type('corner');
  await expect(grace.text).toContainText('corner');
  await grace.text.getByText('corner').click();
  await grace.expectStatus('saved');
  ada.goOffline();
  await ada.expectStatus('offline');
  await ada.page.getByRole('button', { name: 'Insert row below' }).click();
  await grace.page.getByRole('button', { name: 'Insert column right' }).click();
  ada.goOnline();
  await ada.expectStatus('saved');
  const lengths = async ({ text }: typeof ada) => (await cellsOf(text)).map((row) => row.length);
  for (const desk of [ada, grace, yuki]) await expect.poll(() => lengths(desk)).toEqual([4, 3, 4, 4]);

  await grace.page.keyboard.type('!');
  for (const desk of [ada, grace, yuki]) await expect.poll(() => lengths(desk)).toEqual([4, 4, 4, 4]);
  await expectSameText([ada, grace, yuki], (shown) => shown.includes('!'));
  await yuki.expectStatus('read-only');
});

test('P9.28 a pasted table is a table, one in a cell is text, and Markdown keeps it', async ({ openNew }) => {
  const { page, text } = await openNew();
  await text.click();
  await paste(
    text,
    '<table><tr><th>Name</th><th>Sum</th></tr><tr><td><p><b>Ada</b></p></td><td>12' +
      '<table><tr><td>in</td><td>side</td></tr></table></td></tr></table>',
  );
  await expect
    .poll(() => cellsOf(text))
    .toEqual([
      ['Name', 'Sum'],
      ['Ada', '12inside'],
    ]);
  await expect(text.locator('strong')).toHaveText(['Ada']);
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await page.getByRole('button', { name: 'Copy as Markdown' }).click();
  await expect(page.getByText('Copied as Markdown')).toBeVisible();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toContain(
    '| Name | Sum |\n| --- | --- |\n| **Ada** | 12<br>in<br>side |',
  );
});

test('P9.28 on a phone a wide table scrolls by itself, and the page does not', async ({ openNew }) => {
  const { viewport, userAgent, deviceScaleFactor, isMobile, hasTouch } = devices['Pixel 7'];
  const context = { viewport, userAgent, deviceScaleFactor, isMobile, hasTouch };
  const { page, text } = await openNew(context);
  await text.tap();
  await text.pressSequentially('A line above, as long as the page is wide\n/table');
  await page.getByRole('option', { name: 'Table' }).tap();
  for (let column = 0; column < 3; column++) {
    await page.getByRole('button', { name: 'Insert column right' }).tap();
  }
  const frame = text.locator('.table-frame');
  const hidden = () => frame.evaluate(({ scrollWidth, clientWidth }) => scrollWidth - clientWidth);
  await expect.poll(hidden).toBeGreaterThan(100);
  const menu = await page.getByRole('group', { name: 'Rows and columns' }).boundingBox();
  const line = await text.getByText('A line above').boundingBox();
  expect(menu?.y).toBeGreaterThanOrEqual((line?.y ?? Infinity) + (line?.height ?? 0));
  expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
});
