import { expect, newDocument, test } from './desk.ts';

test('P9.27 a slash at a line’s beginning offers blocks, which the keyboard finds and takes', async ({
  weft,
  open,
}) => {
  const { page, text, expectStatus } = await open('ada', await newDocument(weft));
  await expectStatus('saved');
  const list = page.getByRole('listbox', { name: 'Blocks' });
  await text.click();
  await page.keyboard.type('and/or ');
  await expect(list).toBeHidden();
  await page.keyboard.press('Enter');
  await page.keyboard.type('/');
  await expect(list.getByRole('option')).toHaveCount(10);
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
  weft,
  open,
}) => {
  const { page, text, expectStatus } = await open('ada', await newDocument(weft));
  await expectStatus('saved');
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
