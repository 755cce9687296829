import type { WebSocketLike } from '@hocuspocus/server';
import { ERRORS, FrameType } from '@weft/common';
import * as encoding from 'lib0/encoding';
import { expect, test } from 'vitest';
import { holdAcknowledgements } from './hold-acknowledgements.ts';

test('P1.4 the acknowledgements that one socket waits for are bounded', () => {
  const closes: unknown[] = [];
  const webSocket: WebSocketLike = {
    readyState: 1,
    send: () => undefined,
    close: (...reason) => closes.push(reason),
  };
  const held = holdAcknowledgements(webSocket, { saved: () => new Promise(() => undefined) });
  const encoder = encoding.createEncoder();
  encoding.writeVarString(encoder, 'plan');
  encoding.writeVarUint(encoder, FrameType.SyncStatus);
  encoding.writeVarUint(encoder, 1);
  const acknowledgement = encoding.toUint8Array(encoder);
  for (let n = 0; n < 10_000; n++) held.send(acknowledgement);
  expect(closes).toEqual([]);
  held.send(acknowledgement);
  expect(closes).toEqual([[ERRORS['log-backlog-full'].close, 'log-backlog-full']]);
});
