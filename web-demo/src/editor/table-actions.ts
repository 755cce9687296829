import type { ChainedCommands } from '@tiptap/react';
import {
  ArrowDownToLine,
  ArrowLeftToLine,
  ArrowRightToLine,
  ArrowUpToLine,
  PanelLeft,
  PanelTop,
  TableCellsMerge,
  TableCellsSplit,
  Trash2,
  type LucideIcon,
} from 'lucide-react';

export interface TableAction {
  readonly label: string;
  readonly icon: LucideIcon;
  readonly danger?: boolean;
  readonly run: (chain: ChainedCommands) => ChainedCommands;
}

const ROW_BELOW: TableAction = {
  label: 'Insert row below',
  icon: ArrowDownToLine,
  run: (chain) => chain.addRowAfter(),
};
const COLUMN_RIGHT: TableAction = {
  label: 'Insert column right',
  icon: ArrowRightToLine,
  run: (chain) => chain.addColumnAfter(),
};
const DELETE_TABLE: TableAction = {
  label: 'Delete table',
  icon: Trash2,
  danger: true,
  run: (chain) => chain.deleteTable(),
};

/** All that can be done with a table, in groups. */
export const TABLE_ACTIONS: readonly (readonly TableAction[])[] = [
  [
    { label: 'Insert row above', icon: ArrowUpToLine, run: (chain) => chain.addRowBefore() },
    ROW_BELOW,
    { label: 'Delete row', icon: Trash2, run: (chain) => chain.deleteRow() },
  ],
  [
    { label: 'Insert column left', icon: ArrowLeftToLine, run: (chain) => chain.addColumnBefore() },
    COLUMN_RIGHT,
    { label: 'Delete column', icon: Trash2, run: (chain) => chain.deleteColumn() },
  ],
  [
    { label: 'Header row', icon: PanelTop, run: (chain) => chain.toggleHeaderRow() },
    { label: 'Header column', icon: PanelLeft, run: (chain) => chain.toggleHeaderColumn() },
    { label: 'Merge cells', icon: TableCellsMerge, run: (chain) => chain.mergeCells() },
    { label: 'Split cell', icon: TableCellsSplit, run: (chain) => chain.splitCell() },
  ],
  [DELETE_TABLE],
];

/** What is wanted all the time, at the table itself. */
export const QUICK_TABLE_ACTIONS: readonly TableAction[] = [ROW_BELOW, COLUMN_RIGHT];
