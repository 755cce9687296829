import { devices } from '@playwright/test';
import { expect, newDocument, test } from './desk.ts';

test('P10.5 on a phone nothing is cut off, and writing, sharing and comments are in reach', async ({
  weft,
  open,
}) => {
  const name = await newDocument(weft);
  const { viewport, userAgent, deviceScaleFactor, isMobile, hasTouch } = devices['Pixel 7'];
  const phone = await open('ada', name, { viewport, userAgent, deviceScaleFactor, isMobile, hasTouch });
  await phone.expectStatus('saved');
  const overflow = () => phone.page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  expect(await overflow()).toBeLessThanOrEqual(0);
  await phone.text.tap();
  await phone.text.pressSequentially('Written on a phone.');
  await phone.expectStatus('saved');
  for (const button of ['Share', 'Comments']) {
    const control = phone.page.getByRole('button', { name: button, exact: true });
    await expect(control).toBeInViewport();
    await control.tap();
    expect(await overflow()).toBeLessThanOrEqual(0);
    const closing = button === 'Share' ? 'Done' : 'Close comments';
    await expect(phone.page.getByRole('button', { name: closing })).toBeInViewport();
    await phone.page.getByRole('button', { name: closing }).tap();
  }
  await phone.page.goto(`http://127.0.0.1:${phone.line.port}/`);
  await expect(phone.page.getByRole('heading', { name: 'Documents' })).toBeVisible();
  expect(await overflow()).toBeLessThanOrEqual(0);
});

test('P10.6 everything can be done with the keyboard alone', async ({ weft, open }) => {
  const name = await newDocument(weft);
  const { page, text, expectStatus } = await open('ada', name);
  await expectStatus('saved');
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

test('P10.7 dark and light follow the system until somebody chooses', async ({ weft, open }) => {
  const name = await newDocument(weft);
  const { page, expectStatus } = await open('ada', name, { colorScheme: 'dark' });
  await expectStatus('saved');
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

test('P10.12 the page loads nothing from elsewhere, and holds no secret', async ({ weft, open }) => {
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
  const stored = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }]));
  expect(stored).not.toMatch(/eyJ/);
});
