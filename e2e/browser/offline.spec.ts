import { expect, expectSameText, newDocument, test } from './desk.ts';

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
