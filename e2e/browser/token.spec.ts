import { expect, expectSameText, newDocument, test, tokenOf } from './desk.ts';

test('P3.4 an expiring token is renewed behind the writer’s back', async ({ weft, open }) => {
  const name = await newDocument(weft, { grace: 'editor' });
  const ada = await open('ada', name);
  const grace = await open('grace');
  const granted: number[] = [];
  // The server asks for a new one half a minute before the end: that is in a few seconds.
  await grace.page.route('**/dev/token', async (route) => {
    const asked = route.request().postDataJSON() as object;
    granted.push(Date.now());
    await route.continue({ postData: JSON.stringify({ ...asked, expiresIn: 34 }) });
  });
  const frames: string[] = [];
  grace.page.on('websocket', (socket) => socket.on('close', () => frames.push('closed')));
  await grace.page.goto(`http://127.0.0.1:${grace.line.port}/d/${name}`);
  await grace.expectStatus('saved');
  const tokensAtStart = granted.length;
  await grace.text.click();
  await expect(async () => {
    await grace.text.pressSequentially('still ');
    expect(granted.length).toBeGreaterThan(tokensAtStart);
  }).toPass({ timeout: 20_000, intervals: [500] });
  await grace.text.pressSequentially('here');
  await grace.expectStatus('saved');
  expect(frames).toEqual([]);
  await expectSameText([ada, grace], (shown) => shown.endsWith('here'));
});

test('P9.12 a token that is refused for good can be changed for another', async ({ weft, open }) => {
  const name = await newDocument(weft);
  const { page, line } = await open('omar');
  const expired = await tokenOf(weft, { sub: 'ada', expiresIn: 1 });
  const refused = () =>
    fetch(`${weft.url}/v1/documents`, { headers: { authorization: `Bearer ${expired}` } });
  await expect.poll(async () => (await refused()).status).toBe(401);
  for (const path of ['/', `/d/${name}`]) {
    await page.goto('about:blank');
    await page.goto(`http://127.0.0.1:${line.port}${path}#token=${expired}`);
    await page.getByRole('button', { name: 'Use another token' }).click();
    // The development server has other people to offer than to ask for a token.
    await expect(page.getByRole('button', { name: 'You are Omar' })).toBeVisible();
    await expect(page.getByRole('button', { name: 'Use another token' })).toHaveCount(0);
  }
});
