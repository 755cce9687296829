import { randomBytes } from 'node:crypto';
import type { Access, ClientBindings } from '@weft/authorize';
import type { DocumentKey, ErrorCode, Principal } from '@weft/common';
import { TokenBucket } from '@weft/limits';
import type { Connection } from '@hocuspocus/server';
import * as Y from 'yjs';
import { Acknowledgements, type Answered } from '../document/acknowledgements.ts';
import type { LiveDocument } from '../document/live-document.ts';
import type { Participant } from '../document/participant.ts';
import { NOWHERE, type FrameSink } from '../wire/outbound.ts';
import {
  requestTokenBody,
  syncStatusBody,
  syncStep1Body,
  webSocketFrame,
  type FrameBody,
} from '../wire/frames.ts';
import { accessBody } from '../wire/messages.ts';
import type { SessionClient } from './client.ts';
import type { SessionRates } from './rates.ts';

const NOBODY: ReadonlySet<number> = new Set();

export interface SessionPorts {
  readonly rates: SessionRates;
  readonly bindings: Pick<ClientBindings, 'ownerOf'>;
  /** The right to show presence has been given to it or taken away. */
  presenceRightChanged(session: Session): void;
}

export interface SessionOptions {
  readonly ports: SessionPorts;
  readonly client: SessionClient;
  readonly principal: Principal;
  readonly access: Access;
  readonly document: LiveDocument;
  /** As users' hooks see it. */
  readonly connection: Connection;
}

/** A person in an open document: who they are, what they may, what they are owed. */
export class Session implements Participant, Answered {
  readonly id = randomBytes(9).toString('base64url');
  readonly client: SessionClient;
  readonly document: LiveDocument;
  readonly origin: { readonly source: 'connection'; readonly connection: Connection };
  readonly acknowledgements: Acknowledgements;
  readonly updateBudget: TokenBucket;
  readonly awarenessBudget: TokenBucket;
  readonly syncBudget: TokenBucket;
  seesPresence = false;
  /** Updates that were no Yjs updates. */
  malformed = 0;
  /** Updates in a row that referred to unknown edits. */
  missing = 0;
  private readonly ports: SessionPorts;
  private out: FrameSink;
  private person: Principal;
  private rights: Access;
  private spokenFor = NOBODY;
  private tokenRequested = false;
  /** Next to no session needs one. */
  private repairs: TokenBucket | undefined;

  constructor({ ports, client, principal, access, document, connection }: SessionOptions) {
    const { rates } = ports;
    this.ports = ports;
    this.client = client;
    this.out = client.out;
    this.document = document;
    this.person = principal;
    this.rights = access;
    this.origin = { source: 'connection', connection };
    this.acknowledgements = new Acknowledgements(this);
    this.updateBudget = new TokenBucket(rates.updates);
    this.awarenessBudget = new TokenBucket(rates.awareness);
    this.syncBudget = new TokenBucket(rates.syncs);
  }

  /** Milliseconds since 1970. */
  get openedAt(): number {
    return this.client.openedAt;
  }

  get key(): DocumentKey {
    return this.document.key;
  }

  /** It never opens again. */
  get isOpen(): boolean {
    return !this.client.ended;
  }

  // ── who, and what they may ─────────────────────────────────────────────────

  get principal(): Principal {
    return this.person;
  }

  get access(): Access {
    return this.rights;
  }

  get mayWrite(): boolean {
    return writesAnything(this.rights);
  }

  /** Refused edits that are undone for everybody instead of ending the session. */
  get repairBudget(): TokenBucket {
    return (this.repairs ??= new TokenBucket(this.ports.rates.repairs));
  }

  permit(access: Access): void {
    const before = this.rights.role;
    this.rights = access;
    this.document.sawRevision(access.policyRev);
    if (!access.role?.read) return this.end('access-removed');
    if (!before || !sameRights(before, access.role)) {
      this.sendNow(accessBody(access.role, this.document.log));
    }
    if (before?.presence !== access.role.presence) this.ports.presenceRightChanged(this);
  }

  /** Asks the client for a new token, once. */
  requestToken(): void {
    if (this.tokenRequested) return;
    this.tokenRequested = true;
    this.sendNow(requestTokenBody);
  }

  /** By another token of the same person. */
  renew(principal: Principal): void {
    this.person = principal;
    this.tokenRequested = false;
  }

  get clients(): ReadonlySet<number> {
    return this.spokenFor;
  }

  /** The Yjs client is this person's. */
  speaksFor(client: number): void {
    this.spokenFor = new Set([...this.spokenFor, client]);
  }

  /** Whether the Yjs client is known to be this person's, from this session or another. */
  owns(client: number): boolean {
    return this.ports.bindings.ownerOf(this.key, client) === this.person.user;
  }

  // ── what is sent ───────────────────────────────────────────────────────────

  get address(): Uint8Array {
    return this.client.address;
  }

  get addressKey(): string {
    return this.client.addressKey;
  }

  frame(body: FrameBody): Buffer {
    return webSocketFrame(this.client.address, body);
  }

  enqueue(bytes: Buffer): void {
    this.out.enqueue(bytes);
  }

  flush(): void {
    this.out.flush();
  }

  /** Of one update; written with what the document sends next. */
  answer(saved: boolean): void {
    this.enqueue(this.frame(syncStatusBody(saved)));
  }

  sendNow(body: FrameBody): void {
    this.out.send(this.frame(body));
  }

  /** By a new state vector. */
  askForSync(): void {
    this.acknowledgements.holdUntilSynced();
    this.sendNow(syncStep1Body(Y.encodeStateVector(this.document.document)));
  }

  // ── ending ─────────────────────────────────────────────────────────────────

  /** Its client listens no longer; what it has sent is still handled. */
  silence(): void {
    this.out = NOWHERE;
  }

  end(code: ErrorCode): void {
    this.client.end(code);
  }

  failed(error: unknown): void {
    this.client.failed(error);
  }
}

/** Whether there is anything that may be written with this access. */
export function writesAnything({ role }: Access): boolean {
  return role !== undefined && (role.write === '*' || role.write.length > 0);
}

type Role = NonNullable<Access['role']>;

function sameRights(a: Role, b: Role): boolean {
  return (
    a.name === b.name &&
    a.presence === b.presence &&
    a.manage === b.manage &&
    String(a.write) === String(b.write)
  );
}
