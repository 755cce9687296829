import { documentKey, nameOf, tenantOf, type DocumentKey } from '@weft/common';
import type { PresenceEntry } from '../collaboration.ts';
import type { PostedReport, ReportBoard } from './board.ts';
import type { DocumentReport, InstanceReport } from './report.ts';

export interface InstanceView extends Omit<InstanceReport, 'open' | 'state'> {
  /** `silent`: it has not reported for some seconds and has not said good-bye. */
  readonly state: InstanceReport['state'] | 'silent';
  /** Milliseconds since it reported. */
  readonly age: number;
}

/** How far an instance is that has the document open. */
export interface Position {
  readonly instance: string;
  readonly sessions: number;
  readonly seq: number;
}

export interface DocumentView {
  readonly name: string;
  readonly sessions: number;
  /** The newest row that is known of. */
  readonly head: number;
  readonly positions: Position[];
  readonly people: readonly PresenceEntry[];
  /** Also those that `people` has no room for. */
  readonly present: number;
}

export interface ClusterView {
  /** `away`: this instance cannot ask the others and shows only itself. */
  readonly redis: InstanceReport['redis'];
  readonly instances: InstanceView[];
  readonly documents: DocumentView[];
  /** Open documents of the tenant that are in no report or beyond what is shown. */
  readonly more: number;
}

export interface ClusterStatusOptions {
  readonly board: ReportBoard;
  /** The newest report of this instance. */
  readonly own: () => InstanceReport | undefined;
  readonly presence: (key: DocumentKey) => Promise<readonly PresenceEntry[]>;
}

/** Milliseconds: some missed reports. */
const SILENT = 5_000;
const MAX_DOCUMENTS = 50;
const MAX_PEOPLE = 20;

/** The same on every instance while Redis answers, since all read the same reports. */
export class ClusterStatus {
  private readonly options: ClusterStatusOptions;

  constructor(options: ClusterStatusOptions) {
    this.options = options;
  }

  /** Instances are shared by all tenants; documents and people are those of one. */
  async read(tenant: string): Promise<ClusterView> {
    const posted = await this.posted();
    const instances = posted.map(instanceView).sort((one, other) => compare(one.id, other.id));
    const alive = posted.filter(({ age }) => age <= SILENT).map(({ report }) => report);
    const open = openOf(tenant, alive);
    const shown = open.slice(0, MAX_DOCUMENTS);
    return {
      redis: this.options.own()?.redis ?? 'none',
      instances,
      documents: await Promise.all(shown.map((each) => this.documentView(tenant, each))),
      more: open.length - shown.length,
    };
  }

  private async posted(): Promise<PostedReport[]> {
    const own = this.options.own();
    const alone = own ? [{ report: own, age: 0 }] : [];
    const found = await this.options.board.list().catch(() => alone);
    // Redis may have come back empty a moment ago.
    return found.length > 0 ? found : alone;
  }

  private async documentView(tenant: string, open: OpenSomewhere): Promise<DocumentView> {
    const key = documentKey(tenant, open.name);
    const people = await this.options.presence(key).catch(() => []);
    return { ...open, people: people.slice(0, MAX_PEOPLE), present: people.length };
  }
}

function instanceView({ report: { open: _open, ...report }, age }: PostedReport): InstanceView {
  return { ...report, age, state: age > SILENT ? 'silent' : report.state };
}

type OpenSomewhere = Omit<DocumentView, 'people' | 'present'>;

/** Those with the most sessions first. */
function openOf(tenant: string, reports: readonly InstanceReport[]): OpenSomewhere[] {
  const found = new Map<string, { instance: string; document: DocumentReport }[]>();
  for (const { id, open } of reports) {
    for (const document of open) {
      if (tenantOf(document.key as DocumentKey) !== tenant) continue;
      const entries = found.get(document.key) ?? [];
      entries.push({ instance: id, document });
      found.set(document.key, entries);
    }
  }
  return [...found]
    .map(([key, entries]) => merged(nameOf(key as DocumentKey), entries))
    .sort((one, other) => other.sessions - one.sessions || compare(one.name, other.name));
}

function merged(
  name: string,
  entries: readonly { readonly instance: string; readonly document: DocumentReport }[],
): OpenSomewhere {
  const positions = entries
    .map(({ instance, document: { sessions, seq } }) => ({ instance, sessions, seq }))
    .sort((one, other) => compare(one.instance, other.instance));
  return {
    name,
    sessions: positions.reduce((sum, { sessions }) => sum + sessions, 0),
    head: Math.max(...entries.map(({ document }) => Math.max(document.seq, document.head ?? 0))),
    positions,
  };
}

function compare(one: string, other: string): number {
  return one < other ? -1 : Number(one > other);
}
