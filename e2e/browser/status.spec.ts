import { AxeBuilder } from '@axe-core/playwright';
import type { Locator } from '@playwright/test';
import { mintToken } from '@weft/harness';
import { expect, newDocument, test } from './desk.ts';

test('P8.8 the status page shows the instance, what is open on it and who is there, as it changes', async ({
  weft,
  open,
}) => {
  const name = await newDocument(weft, { grace: 'editor' });
  const ada = await open('ada', name);
  await ada.expectStatus('saved');
  const operator = await open('omar');
  await operator.page.goto(`${new URL(operator.page.url()).origin}/status`);
  const instances = operator.page.getByRole('region', { name: 'Instances' });
  const documents = operator.page.getByRole('region', { name: 'Open documents' });
  await expect(operator.page.getByRole('status')).toHaveText('Everything is well.');
  await expect(instances.getByRole('row')).toHaveCount(2);
  await expect(instances).toContainText('Ready');
  const row = documents.getByRole('row', { name });
  await expect(row).toContainText('Ada');
  await expect(row).not.toContainText('Grace');

  const grace = await open('grace', name);
  await grace.expectStatus('saved');
  await expect(row).toContainText('Grace');
  await grace.close();
  await expect(row).not.toContainText('Grace');

  for (const colorScheme of ['light', 'dark'] as const) {
    await operator.page.emulateMedia({ colorScheme });
    const { violations } = await new AxeBuilder({ page: operator.page }).analyze();
    expect(violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`)).toEqual([]);
  }
});

test('P10.6 an administrator comes to the status from the documents, and back, by the keyboard alone', async ({
  weft,
  open,
}) => {
  const { page } = await open('ada');
  await expect(page.getByRole('heading', { name: 'Documents' })).toBeVisible();
  const link = page.getByRole('link', { name: 'Status' });
  for (let presses = 0; presses < 5 && !(await isFocused(link)); presses++) await page.keyboard.press('Tab');
  await expect(link).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('heading', { name: 'Status' })).toBeVisible();
  await expect(page.getByRole('region', { name: 'Instances' })).toBeVisible();
  const { violations } = await new AxeBuilder({ page }).analyze();
  expect(violations.map(({ id }) => id)).toEqual([]);
  await page.goBack();
  await expect(page.getByRole('heading', { name: 'Documents' })).toBeVisible();

  // A token of one's own says whether it is offered.
  for (const [scope, links] of [
    ['create', 0],
    ['admin', 1],
  ] as const) {
    const answer = await fetch(`${weft.url}/dev/token`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ sub: 'ops', name: 'Ops', scope }),
    });
    const { token } = (await answer.json()) as { token: string };
    await page.goto(`${new URL(page.url()).origin}/#token=${token}`);
    await expect(page.getByRole('button', { name: 'You are Ops' })).toBeVisible();
    await expect(link).toHaveCount(links);
  }
});

async function isFocused(link: Locator): Promise<boolean> {
  return link.evaluate((element) => element === document.activeElement);
}

test('P8.8 it fits on a phone', async ({ open }) => {
  const { page } = await open('ada', undefined, { viewport: { width: 360, height: 740 } });
  await page.goto(`${new URL(page.url()).origin}/status`);
  await expect(page.getByRole('heading', { name: 'Instances' })).toBeVisible();
  expect(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth)).toBe(true);
});

test('P3.31 who is no administrator is told what it takes', async ({ open }) => {
  const { page } = await open('ada');
  const token = mintToken({ sub: 'ada' }, 'a key that this server does not have, 32 bytes or more');
  await page.goto(`${new URL(page.url()).origin}/status#token=${token}`);
  await expect(page.getByRole('heading', { name: 'For administrators' })).toBeVisible();
});
