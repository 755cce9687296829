import { expect, expectSameText, newDocument, test } from './desk.ts';

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
