import { expect, expectSameText, newDocument, restOf, test, type Desk } from './desk.ts';

async function chooseRole(owner: Desk, person: string, role: string): Promise<void> {
  const { page } = owner;
  await page.getByRole('button', { name: 'Share' }).click();
  await page.getByRole('combobox', { name: `Role of ${person}` }).click();
  await page.getByRole('option', { name: role }).click();
  await expect(page.getByRole('combobox', { name: `Role of ${person}` })).toContainText(role);
  await page.getByRole('button', { name: 'Done' }).click();
}

test('P4.2 P4.14 an owner removes somebody who is typing: the text stops there, the page says why, and comes back when they are invited again', async ({
  openTogether,
  weft,
}) => {
  const { name, ada, grace } = await openTogether({ grace: 'editor' });
  await grace.text.click();
  await grace.text.pressSequentially('Allowed. ');
  await expect(ada.text).toContainText('Allowed.');

  let typing = true;
  const typist = (async () => {
    while (typing) await grace.page.keyboard.type('x', { delay: 10 });
  })();
  await ada.page.getByRole('button', { name: 'Share' }).click();
  await ada.page.getByRole('button', { name: 'More for Grace' }).click();
  await ada.page.getByRole('menuitem', { name: 'Remove access' }).click();
  await grace.expectStatus('access-removed');
  typing = false;
  await typist;
  // What she typed in the last moments, if it was not saved, is handed back to her first.
  const unsaved = grace.page.getByRole('dialog', { name: 'Your unsaved text' });
  await expect(async () => {
    if (await unsaved.isVisible()) await unsaved.getByRole('button', { name: 'Discard' }).click();
    await expect(grace.page.getByRole('heading', { name: 'Access removed' })).toBeVisible({ timeout: 1_000 });
  }).toPass();
  await expect(grace.text).toBeHidden();
  await ada.page.getByRole('button', { name: 'Done' }).click();
  const after = await ada.text.textContent();
  const rows = await (await restOf(weft, 'ada')).log(name);
  await ada.text.click();
  await ada.page.keyboard.press('Control+End');
  await ada.text.pressSequentially(' Ada goes on.');
  await ada.expectStatus('saved');
  expect(await ada.text.textContent()).toBe(`${after} Ada goes on.`);
  const later = (await (await restOf(weft, 'ada')).log(name)).slice(rows.length);
  expect(later.some(({ actor }) => actor === 'grace')).toBe(false);

  await (await restOf(weft, 'ada')).grant(name, 'user:grace', 'viewer');
  await grace.expectStatus('read-only');
  await expect(grace.text).toHaveText(`${after} Ada goes on.`);
});

test('P3.13 a viewer’s page offers nothing that the role forbids, and follows along', async ({
  openTogether,
}) => {
  const { ada, yuki } = await openTogether({ yuki: 'viewer' });
  await ada.text.click();
  await ada.text.pressSequentially('To be read.');
  await expect(yuki.text).toContainText('To be read.');
  await expect(yuki.text).toHaveAttribute('aria-readonly', 'true');
  await expect(yuki.page.getByRole('button', { name: 'Bold' })).toHaveCount(0);
  await expect(yuki.page.getByRole('button', { name: 'Add comment' })).toHaveCount(0);
  await expect(yuki.page.getByRole('button', { name: 'Share' })).toHaveCount(0);
  await yuki.text.click();
  await yuki.page.keyboard.type('intruding');
  await yuki.expectStatus('read-only');
  await expect(yuki.text).not.toContainText('intruding');
});

test('P3.14 a commenter comments on a selection and cannot touch the text', async ({ openTogether }) => {
  const { ada, tomas } = await openTogether({ tomas: 'commenter' });
  await ada.text.click();
  await ada.text.pressSequentially('A sentence worth a remark.');
  await expect(tomas.text).toContainText('remark');
  await tomas.expectStatus('saved');
  await tomas.text.click();
  await tomas.page.keyboard.type('no');
  await expect(tomas.text).not.toContainText('no ');

  await tomas.text.press('Control+a');
  await tomas.text.press('Control+Alt+m');
  await tomas.page.getByRole('textbox', { name: 'Write a comment' }).press('Escape');
  await tomas.text.press('Control+a');
  await tomas.page.getByRole('button', { name: 'Add comment' }).click();
  await tomas.page.getByRole('textbox', { name: 'Write a comment' }).fill('Well put.');
  await tomas.page.getByRole('button', { name: 'Comment', exact: true }).last().click();
  await tomas.expectStatus('saved');
  await ada.page.getByRole('button', { name: 'Comments, 1 open' }).click();
  await expect(ada.page.getByRole('complementary', { name: 'Comments' })).toContainText('Well put.');
  expect(await ada.text.textContent()).toBe('A sentence worth a remark.');
});

test('P3.15 a changed role takes effect in the open page, both ways', async ({ openTogether }) => {
  const { ada, grace } = await openTogether({ grace: 'viewer' });
  await chooseRole(ada, 'Grace', 'Editor');
  await grace.expectStatus('saved');
  await grace.text.click();
  await grace.text.pressSequentially('Now I may. ');
  await grace.expectStatus('saved');
  await expectSameText([ada, grace], (shown) => shown === 'Now I may. ');
  await chooseRole(ada, 'Grace', 'Viewer');
  await grace.expectStatus('read-only');
  // What was said of the role before is wrong now.
  await expect(grace.page.getByText(/^Your role in this document is now/)).toHaveText([/: Viewer$/]);
  await grace.text.click();
  await grace.page.keyboard.type('No more. ');
  await expectSameText([ada, grace], (shown) => shown === 'Now I may. ');
});

test('P3.28 a link that ends keeps its end when its role changes, and who has run out leaves the dialog', async ({
  weft,
  open,
}) => {
  const name = await newDocument(weft);
  const { page, expectStatus } = await open('ada', name);
  await expectStatus('saved');
  const soon = new Date(Date.now() + 5_000).toISOString();
  await (await restOf(weft, 'ada')).grant(name, 'user:mira', 'viewer', soon);
  await page.getByRole('button', { name: 'Share' }).click();
  const mira = page.getByRole('listitem', { name: 'Mira' });
  await expect(mira).toBeVisible();
  const link = page.getByRole('listitem', { name: 'Anyone with the link' });
  const chooseLinkRole = async (role: string) => {
    await link.getByRole('combobox').click();
    await page.getByRole('option', { name: role }).click();
    await expect(link.getByRole('combobox')).toContainText(role);
  };
  await chooseLinkRole('Viewer');
  await link.getByRole('button', { name: 'More for Anyone with the link' }).click();
  await page.getByRole('menuitem', { name: 'For an hour' }).click();
  await expect(link).toContainText('until');
  await chooseLinkRole('Commenter');
  await expect(link).toContainText('until');
  await expect(mira).toBeHidden();
});

test('P3.15 an owner is asked before they change their own access', async ({ openTogether, weft }) => {
  const { name, ada } = await openTogether({});
  await (await restOf(weft, 'ada')).grant(name, 'user:grace', 'owner');
  await ada.page.getByRole('button', { name: 'Share' }).click();
  const own = ada.page.getByRole('combobox', { name: 'Role of Ada' });
  const chooseViewer = async () => {
    await own.click();
    await ada.page.getByRole('option', { name: 'Viewer' }).click();
  };
  const question = ada.page.getByRole('dialog', { name: 'Change your own access?' });
  await chooseViewer();
  await question.getByRole('button', { name: 'Cancel' }).click();
  await expect(own).toContainText('Owner');
  await chooseViewer();
  await question.getByRole('button', { name: 'Change my access' }).click();
  await ada.expectStatus('read-only');
});
