import { expect, expectSameText, newDocument, restOf, test } from './desk.ts';

test('P1.17 what is written offline is kept, said to be kept, and merged when the line is back', async ({
  openTogether,
}) => {
  const { ada, grace } = await openTogether({ grace: 'editor' });
  await ada.text.click();
  await ada.text.pressSequentially('Together. ');
  await expect(grace.text).toContainText('Together.');
  await ada.expectStatus('saved');

  ada.goOffline();
  await ada.expectStatus('offline');
  await expect(ada.page.getByRole('status').first()).toContainText(
    'Offline — changes are kept on this device',
  );
  await ada.text.pressSequentially('Ada without a line. ');
  await grace.text.click();
  await grace.page.keyboard.press('Control+Home');
  await grace.text.pressSequentially('Grace with one. ');
  await grace.expectStatus('saved');
  await expect(grace.text).not.toContainText('without a line');
  await ada.expectStatus('offline');

  ada.goOnline();
  await ada.expectStatus('saved');
  const text = await expectSameText([ada, grace], (shown) => shown.includes('without a line'));
  expect(text).toBe('Grace with one. Together. Ada without a line. ');
});

test('P1.17 the copy on the device outlives a closed page', async ({ weft, open }) => {
  const name = await newDocument(weft);
  const ada = await open('ada', name);
  await ada.expectStatus('saved');
  ada.goOffline();
  await ada.expectStatus('offline');
  await ada.text.click();
  await ada.text.pressSequentially('kept on this device');
  // The copy is written in the background; leaving at once would test the browser, not the page.
  await ada.page.waitForFunction(async () => {
    const databases = await indexedDB.databases();
    return databases.length > 0;
  });
  await ada.page.goto('about:blank');
  ada.goOnline();
  await ada.page.goto(`http://127.0.0.1:${ada.line.port}/d/${name}`);
  await expect(ada.text).toContainText('kept on this device');
  await ada.expectStatus('saved');
});

for (const returns of ['while the page stays open', 'by opening the page again']) {
  test(`P9.34 what was kept of a document that was deleted and made again stays out of the new one, ${returns}`, async ({
    weft,
    openTogether,
  }) => {
    const { ada, grace, name } = await openTogether({ grace: 'editor' });
    await grace.text.click();
    await grace.text.pressSequentially('Of the old one. ');
    await grace.expectStatus('saved');
    await expect(ada.text).toContainText('Of the old one.');
    grace.goOffline();
    await grace.expectStatus('offline');
    await grace.page.keyboard.press('Enter');
    await grace.text.pressSequentially('Written without a line.');

    const rest = await restOf(weft, 'ada');
    await rest.deleteDocument(name);
    await rest.createDocument(name, { title: name });
    await rest.grant(name, 'user:grace', 'editor');
    await ada.page.reload();
    await ada.expectStatus('saved');
    await ada.text.click();
    await ada.text.pressSequentially('Of the new one.');
    await ada.expectStatus('saved');

    grace.goOnline();
    if (returns === 'by opening the page again') await grace.page.reload();
    const dialog = grace.page.getByRole('dialog', { name: 'Your unsaved text' });
    await expect(dialog).toContainText('deleted, and another made under its name');
    await expect(dialog.getByRole('textbox')).toHaveValue('Written without a line.');
    await dialog.getByRole('button', { name: 'Discard' }).click();
    await grace.expectStatus('saved');
    expect(await expectSameText([ada, grace], (shown) => shown.length > 0)).toBe('Of the new one.');
    // The copy that is kept now is of the new one.
    await grace.page.reload();
    await grace.expectStatus('saved');
    expect(await expectSameText([ada, grace], (shown) => shown.length > 0)).toBe('Of the new one.');
  });
}
