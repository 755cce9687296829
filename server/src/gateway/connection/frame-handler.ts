import { FrameType, SyncType, WeftError } from '@weft/common';
import type { SessionAccess } from '../access/session-access.ts';
import type { UserHooks } from '../hocuspocus/user-hooks.ts';
import type { AwarenessRelay } from '../presence/awareness-relay.ts';
import type { SyncResponder } from '../sync/sync-responder.ts';
import type { UpdatePipeline } from '../updates/update-pipeline.ts';
import { FrameReader } from '../wire/frame-reader.ts';
import type { Session } from '../session/session.ts';

export interface FrameHandlerPorts {
  readonly access: Pick<SessionAccess, 'hasEnded' | 'untilKnown'>;
  readonly userHooks: UserHooks;
  readonly sync: SyncResponder;
  readonly updates: UpdatePipeline;
  readonly awareness: AwarenessRelay;
}

/** What a frame of an open session asks for, by its type. A promise holds the session's next frames back. */
export class FrameHandler {
  private readonly ports: FrameHandlerPorts;

  constructor(ports: FrameHandlerPorts) {
    this.ports = ports;
  }

  /** @throws WeftError which ends the connection. */
  handle(session: Session, type: number, reader: FrameReader): void | Promise<void> {
    const mustWait = this.ports.access.hasEnded(session.access) && type !== FrameType.Close;
    return mustWait ? this.whenKnown(session, reader.fromType.slice()) : this.take(session, type, reader);
  }

  /** What the sender may do is being asked. */
  private async whenKnown(session: Session, frame: Uint8Array): Promise<void> {
    await this.ports.access.untilKnown(session);
    const reader = new FrameReader(frame);
    if (session.isOpen) return this.take(session, reader.type(), reader);
  }

  private take(session: Session, type: number, reader: FrameReader): void | Promise<void> {
    const { userHooks } = this.ports;
    if (!userHooks.has('beforeHandleMessage')) return this.frame(session, type, reader);
    return userHooks
      .beforeMessage(session.origin.connection, reader.fromType)
      .then(() => this.frame(session, type, reader));
  }

  private frame(session: Session, type: number, reader: FrameReader): void | Promise<void> {
    switch (type) {
      case FrameType.Sync:
      case FrameType.SyncReply:
        return this.sync(session, reader);
      case FrameType.Awareness:
        return this.ports.awareness.receive(session, reader.block());
      case FrameType.QueryAwareness:
        return this.ports.awareness.welcome(session);
      case FrameType.Stateless:
        return this.stateless(session, reader);
      case FrameType.Close:
        return session.client.closedByClient();
      case FrameType.Ping:
      case FrameType.Pong:
        return undefined;
      default:
        throw new WeftError('frame-malformed', { detail: `type ${type} is not for clients` });
    }
  }

  private sync(session: Session, reader: FrameReader): void | Promise<void> {
    const type = reader.uint();
    const payload = reader.block();
    const { userHooks } = this.ports;
    if (!userHooks.has('beforeSync')) return this.syncAllowed(session, type, payload);
    return userHooks
      .beforeSync(session.origin.connection, type, payload)
      .then(() => this.syncAllowed(session, type, payload));
  }

  private syncAllowed(session: Session, type: number, payload: Uint8Array): void | Promise<void> {
    switch (type) {
      case SyncType.Step1:
        return this.ports.sync.answerStep1(session, payload);
      case SyncType.Step2:
        return this.ports.sync.receiveStep2(session, payload);
      case SyncType.Update:
        return this.ports.updates.receive(session, type, payload);
      default:
        throw new WeftError('frame-malformed', { detail: `sync type ${type}` });
    }
  }

  /** Stateless messages are the business of users' extensions; without one that listens nobody's. */
  private stateless(session: Session, reader: FrameReader): void {
    if (!this.ports.userHooks.has('onStateless') || !session.awarenessBudget.take()) return;
    const { connection } = session.origin;
    const { document } = connection;
    const documentName = document.name;
    void connection.callbacks.statelessCallback({
      connection,
      document,
      documentName,
      payload: reader.string(),
    });
  }
}
