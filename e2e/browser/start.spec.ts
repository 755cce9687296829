import { expect, newDocument, test } from './desk.ts';

test('P10.4 a newcomer makes a document, names it, finds it again, renames and deletes it', async ({
  open,
}) => {
  const { page, text, expectStatus } = await open('yuki');
  await expect(page.getByRole('heading', { name: 'Documents' })).toBeVisible();
  await page
    .getByRole('button', { name: /New document|Start the first document/ })
    .first()
    .click();
  await expectStatus('saved');
  await page.getByRole('textbox', { name: 'Document title' }).fill('Notes on cloth');
  await page.getByRole('textbox', { name: 'Document title' }).press('Enter');
  await expect(text).toBeFocused();
  await text.pressSequentially('Warp and weft.');
  await expectStatus('saved');
  await page.getByRole('link', { name: 'All documents' }).click();
  const list = page.getByRole('list', { name: 'Documents' });
  await expect(list.getByRole('link', { name: 'Notes on cloth' })).toBeVisible();

  await page.getByRole('button', { name: 'Actions for Notes on cloth' }).click();
  await page.getByRole('menuitem', { name: 'Rename' }).click();
  await page.getByRole('dialog').getByRole('textbox').fill('Notes on silk');
  await page.getByRole('dialog').getByRole('button', { name: 'Rename' }).click();
  await list.getByRole('link', { name: 'Notes on silk' }).click();
  await expect(text).toHaveText('Warp and weft.');
  await expect(page.getByRole('textbox', { name: 'Document title' })).toHaveValue('Notes on silk');

  await page.getByRole('link', { name: 'All documents' }).click();
  await page.getByRole('button', { name: 'Actions for Notes on silk' }).click();
  await page.getByRole('menuitem', { name: 'Delete' }).click();
  await page
    .getByRole('alertdialog')
    .or(page.getByRole('dialog'))
    .getByRole('button', { name: /Delete/ })
    .click();
  await expect(page.getByRole('link', { name: 'Notes on silk' })).toHaveCount(0);
});

test('P10.4 whoever makes a document writes in it at once', async ({ open }) => {
  const { page, text, expectStatus } = await open('omar');
  await page
    .getByRole('button', { name: /New document|Start the first document/ })
    .first()
    .click();
  await expectStatus('saved');
  await page.keyboard.type('No click before the first word.');
  await expect(text).toHaveText('No click before the first word.');
});

test('P3.22 a document that one may not see looks like one that does not exist', async ({ weft, open }) => {
  const hidden = await open('omar', await newDocument(weft));
  await expect(hidden.page.getByRole('heading', { name: 'No such document' })).toBeVisible();
  const absent = await open('omar', 'there-is-none');
  await expect(absent.page.getByRole('heading', { name: 'No such document' })).toBeFocused();
  await expect(absent.page.getByText('Not connected')).toHaveCount(0);
});

test('P10.22 the list comes back by itself when the server can be reached again', async ({ weft, open }) => {
  const name = await newDocument(weft);
  const { page, goOffline, goOnline, expectStatus } = await open('ada', name);
  await expectStatus('saved');
  goOffline();
  await page.getByRole('link', { name: 'All documents' }).click();
  await expect(page.getByRole('alert')).toContainText('The server cannot be reached.');
  goOnline();
  await expect(page.getByRole('link', { name })).toBeVisible();
  await expect(page.getByRole('alert')).toBeHidden();
});

test('P10.28 whoever is asked for in the address, and is none of the sample people, is said to be nobody', async ({
  open,
}) => {
  const { page } = await open('grace');
  const me = page.getByRole('button', { name: /^You are / });
  await expect(me).toHaveAccessibleName(/Grace/);
  const notice = page.getByRole('region', { name: 'Notifications' });
  await page.goto(new URL('/?as=Bob', page.url()).href);
  await expect(notice).toContainText('Nobody here is called “Bob”: you are Grace.');
  await page.goto(new URL('/?as=Yuki', page.url()).href);
  await expect(me).toHaveAccessibleName(/Yuki/);
  await expect(notice).toBeEmpty();
  await page.goto(new URL('/?as=', page.url()).href);
  await expect(me).toHaveAccessibleName(/Yuki/);
  await expect(notice).toBeEmpty();
});
