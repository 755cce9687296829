import { expect, newDocument, openDesk, test } from './desk.ts';

test('P10.24 with no room on the device, or none allowed, the page works and says what is kept where', async ({
  weft,
  browser,
}) => {
  const desk = await openDesk({ server: weft, browser, person: 'ada', document: await newDocument(weft) });
  const { page, text } = desk;
  await desk.expectStatus('saved');
  await page.evaluate(() => {
    const { add } = IDBObjectStore.prototype;
    // As browsers do when a write exceeds what there is.
    IDBObjectStore.prototype.add = function (...written) {
      const request = add.apply(this, written);
      this.transaction.abort();
      return request;
    };
  });
  await text.pressSequentially('No room for this. ');
  await desk.expectStatus('saved');
  desk.goOffline();
  await text.pressSequentially('Nor for this.');
  // Shown, and told to screen readers.
  const kept = page.getByText('Offline — changes are kept in this tab only');
  await expect(kept.first()).toBeVisible();
  await expect(kept.and(page.getByRole('status'))).toBeAttached();
  desk.goOnline();
  await desk.expectStatus('saved');

  await page.addInitScript(() => {
    const forbidden = {
      get: () => {
        throw new DOMException('Forbidden', 'SecurityError');
      },
    };
    for (const storage of ['localStorage', 'sessionStorage', 'indexedDB'])
      Object.defineProperty(window, storage, forbidden);
  });
  await page.reload();
  await desk.expectStatus('saved');
  await expect(text).toHaveText('No room for this. Nor for this.');
  await desk.close();
});

test('P1.18 P10.24 what is written after the device was cleared is still saved', async ({
  weft,
  browser,
}) => {
  const name = await newDocument(weft);
  const desk = await openDesk({ server: weft, browser, person: 'ada', document: name });
  await desk.expectStatus('saved');
  await desk.page.evaluate(async () => {
    const [kept] = await indexedDB.databases();
    await new Promise<void>((resolve) => {
      indexedDB.deleteDatabase(kept?.name ?? '').onsuccess = () => resolve();
    });
  });
  await desk.text.pressSequentially('Written later.');
  await desk.expectStatus('saved');
  await desk.page.reload();
  await expect(desk.text).toHaveText('Written later.');
  expect(desk.errors).toEqual([]);
  await desk.close();
});

test('P10.25 a part of the page that is gone since the server was upgraded is asked for by loading again', async ({
  weft,
  browser,
}) => {
  const name = await newDocument(weft);
  const desk = await openDesk({ server: weft, browser, person: 'ada' });
  const { page } = desk;
  const isGone = /\/assets\/status-page/;
  await page.route(isGone, (route) => route.fulfill({ status: 404 }));
  await page.getByRole('link', { name: 'Status' }).click();
  await expect(page.getByRole('heading', { name: 'Load the page again' })).toBeVisible();
  await page.goBack();
  await expect(page.getByRole('link', { name })).toBeVisible();
  await page.goForward();
  await page.unroute(isGone);
  await page.getByRole('button', { name: 'Load again' }).click();
  await expect(page.getByRole('heading', { name: 'Status' })).toBeVisible();
  await desk.close();
});

test('P10.26 a page that came by plain HTTP takes comments, and says that it cannot copy', async ({
  openNew,
}) => {
  const { page, text, expectStatus } = await openNew();
  await page.addInitScript(() => {
    // What browsers withhold there, and not from this machine's own pages.
    Object.defineProperty(Crypto.prototype, 'randomUUID', { value: undefined });
    Object.defineProperty(Navigator.prototype, 'clipboard', { value: undefined });
  });
  await page.reload();
  await expectStatus('saved');
  await text.click();
  await page.keyboard.press('ControlOrMeta+Alt+m');
  await page.keyboard.type('A remark.');
  await page.keyboard.press('ControlOrMeta+Enter');
  await expect(page.getByRole('list', { name: 'Open threads' })).toContainText('A remark.');
  await page.getByRole('button', { name: 'Copy as Markdown' }).click();
  await expect(page.getByText('The browser does not allow copying.')).toBeVisible();
});
