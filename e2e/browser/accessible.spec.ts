import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from '@playwright/test';
import { expect, newDocument, test } from './desk.ts';

/** WCAG 2.2 AA as far as a machine can check it: names, roles, contrast, labels. */
async function expectAccessible(page: Page): Promise<void> {
  // Colours are measured where things have come to rest.
  await page.evaluate(() => Promise.all(document.getAnimations().map((animation) => animation.finished)));
  const { violations } = await new AxeBuilder({ page })
    .withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'])
    .analyze();
  const found = violations.map(
    ({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(' ')).join(', ')}`,
  );
  expect(found).toEqual([]);
}

for (const colorScheme of ['light', 'dark'] as const) {
  test(`P10.10 every view is accessible in ${colorScheme} colours`, async ({ weft, open }) => {
    const name = await newDocument(weft, { grace: 'viewer', mira: 'commenter' });
    const { page, text, line, expectStatus } = await open('ada', name, { colorScheme });
    await expectStatus('saved');
    await text.click();
    await text.pressSequentially('Something to read.');
    await expectStatus('saved');
    await expectAccessible(page);

    await text.press('Enter');
    await text.press('/');
    await expect(page.getByRole('listbox', { name: 'Blocks' })).toBeVisible();
    await expectAccessible(page);
    await text.press('Backspace');
    await text.press('Backspace');

    await text.press('Control+a');
    await page.getByRole('button', { name: 'Add comment' }).click();
    await page.getByRole('textbox', { name: 'Write a comment' }).fill('A remark.');
    await page.getByRole('button', { name: 'Comment', exact: true }).last().click();
    await expect(page.getByRole('list', { name: 'Open threads' })).toContainText('A remark.');
    await expectAccessible(page);

    await page.getByRole('button', { name: 'Share' }).click();
    await expect(page.getByRole('combobox', { name: 'Role of Mira' })).toBeVisible();
    await expectAccessible(page);
    await page.getByRole('button', { name: 'Done' }).click();

    await page.goto(`http://127.0.0.1:${line.port}/`);
    await expect(page.getByRole('list', { name: 'Documents' })).toBeVisible();
    await expectAccessible(page);
  });
}
