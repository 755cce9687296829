export interface DocumentSummary {
  readonly name: string;
  /** The name, where none was given. */
  readonly title: string;
  /** `null`: seen as an administrator, without a right to its content. */
  readonly role: string | null;
  /** ISO 8601. */
  readonly updatedAt: string;
  readonly createdBy: string;
}

export interface DocumentPage {
  readonly documents: readonly DocumentSummary[];
  readonly next?: string;
}

export interface Grant {
  readonly subject: string;
  readonly role: string;
  /** ISO 8601; none: until it is taken back. */
  readonly expiresAt?: string | null;
}

export interface GrantInput {
  readonly role: string;
  readonly expiresAt?: string;
}
