/** Shapes that travel over the HTTP API. Times are RFC 3339 in UTC; money is in minor units. */

type Time = string
export type Language = 'zh-CN' | 'en'
export interface Money {
  amount: number
  currency: string
}
export interface Ref {
  id: string
  name: string
}
export interface Problem {
  status: number
  code: string
  title?: string
  detail: string
  params?: Record<string, unknown>
  fields?: { path: string; code: string; detail: string }[]
  requestId: string
}

export interface Setup {
  needed: boolean
  demo: boolean
  /** How to sign in to the demo, when the server tells. */
  demoAccount?: { email: string; password: string }
  version: string
}
export interface Company {
  company: string
  timezone: string
  currency: string
  language: Language
}
export interface SetupInput extends Company {
  name: string
  email: string
  password: string
}
export interface Me {
  user: { id: string; name: string; email: string; role: string; roleName: string; language: Language }
  permissions: string[]
  company: { name: string; timezone: string; currency: string; language: Language }
  demo?: { state: 'filling' | 'ready'; done: number; total: number }
  version: string
}
export interface Session {
  id: string
  current: boolean
  createdAt: Time
  lastSeenAt: Time
  ip: string
  userAgent: string
}

export interface User {
  id: string
  name: string
  email: string
  role: string
  roleName: string
  state: 'active' | 'disabled'
  createdAt: Time
  lastSeenAt?: Time
}
export interface UserInput {
  name: string
  email: string
  role: string
  password?: string
}
export interface NewUser {
  user: User
  password?: string
}
export interface Permission {
  id: string
  group: string
}
export interface Role {
  id: string
  name: string
  builtin: boolean
  permissions: string[]
  users: number
}
export interface Token {
  id: string
  name: string
  role: string
  prefix: string
  createdAt: Time
  createdBy: Ref
  lastUsedAt?: Time
  expiresAt?: Time
  revokedAt?: Time
}
export interface WriteKey {
  id: string
  name: string
  prefix: string
  source: string
  createdAt: Time
  createdBy: Ref
  lastUsedAt?: Time
  revokedAt?: Time
}
export interface AuditEntry {
  seq: number
  at: Time
  actor: { id: string; name: string; kind: 'user' | 'token' | 'system' | 'cli' }
  action: string
  object: { type: string; id: string; name: string }
  detail: Record<string, unknown>
  ip: string
  requestId: string
  hash: string
}
export interface AuditVerdict {
  ok: boolean
  checked: number
  firstBad?: number
  head: string
}

export type JobState = 'queued' | 'running' | 'succeeded' | 'failed' | 'cancelled'
export interface Job {
  id: string
  kind: string
  title: string
  state: JobState
  done: number
  total: number
  unit: string
  error?: { code: string; detail: string }
  result?: Record<string, unknown>
  hasFile: boolean
  fileName?: string
  createdBy: Ref
  createdAt: Time
  startedAt?: Time
  finishedAt?: Time
  /** The console page that shows what the job made. */
  link?: string
}

export type ImportKind = 'contacts' | 'orders' | 'events'
export interface Mapping {
  /** Column name to field id, 'attr:key', 'prop:key', 'tag' or '' to leave it out. */
  columns: Record<string, string>
}
export interface ImportOptions {
  sheet?: string
  timezone?: string
  dateFormat?: string
  currency?: string
  country?: string
  refundPrefix?: string
  event?: string
  tags?: string[]
  source?: string
  updateExisting?: boolean
}
export interface Upload {
  id: string
  name: string
  size: number
  format: 'csv' | 'xlsx'
  compressed: boolean
  encoding: 'utf-8' | 'gb18030'
  delimiter?: string
  sheets?: string[]
  sheet?: string
  columns: { index: number; name: string; samples: string[] }[]
  suggestion: { kind: ImportKind; mapping: Mapping; options: ImportOptions }
  savedMapping?: Ref
}
export interface ImportField {
  id: string
  label: string
  group: string
  type: string
  required: boolean
  hint?: string
}
export interface ImportPlan {
  uploadId: string
  kind: ImportKind
  mapping: Mapping
  options: ImportOptions
}
export interface ImportPreview {
  checked: number
  good: number
  bad: number
  complete: boolean
  rows: {
    line: number
    ok: boolean
    record: Record<string, unknown>
    errors: { column: string; value: string; code: string; detail: string }[]
  }[]
  summary: { people: number; orders: number; revenue?: Money; from?: Time; to?: Time }
}
export interface Import {
  id: string
  kind: ImportKind
  name: string
  file: string
  state: JobState | 'undoing' | 'undone'
  jobId: string
  rows: number
  accepted: number
  rejected: number
  contactsCreated: number
  contactsUpdated: number
  orders: number
  facts: number
  bytesDone: number
  bytesTotal: number
  rowsPerSecond?: number
  mapping: Mapping
  options: ImportOptions
  error?: { code: string; detail: string }
  reasons: { code: string; detail: string; count: number }[]
  createdBy: Ref
  createdAt: Time
  finishedAt?: Time
  undoneAt?: Time
}
export interface SavedMapping {
  id: string
  name: string
  kind: ImportKind
  mapping: Mapping
  options: ImportOptions
}

export interface FactSummary {
  from: Time
  to: Time
  total: number
  people: number
  events: { name: string; count: number; people: number }[]
}
export interface TrendQuery {
  event?: string
  measure?: 'count' | 'people' | 'sum'
  property?: string
  interval?: 'hour' | 'day' | 'week' | 'month'
  from?: Time
  to?: Time
  breakdown?: string
  timezone?: string
}
export interface FactTrend {
  interval: 'hour' | 'day' | 'week' | 'month'
  timezone: string
  buckets: Time[]
  series: { key: string; values: number[]; total: number }[]
  other?: number
}
export interface LiveFact {
  position: string
  receivedAt: Time
  timestamp: Time
  type: string
  name: string
  messageId: string
  source: string
  identifiers: { kind: string; value: string }[]
  contact?: { id: string; name: string; kind: 'person' | 'visitor' }
  outcome: 'stored' | 'duplicate' | 'set_aside'
  reason?: string
  properties: Record<string, unknown>
  context?: Record<string, unknown>
}
export interface SetAside {
  id: string
  at: Time
  stage: string
  code: string
  detail: string
  name: string
  messageId: string
  source: string
  fact: Record<string, unknown>
  tries: number
  state: 'open' | 'retried' | 'discarded'
}

export type DefState = 'learned' | 'expected' | 'hidden'
export interface EventDef {
  name: string
  displayName: string
  description: string
  category: string
  state: DefState
  owner?: string
  firstSeenAt?: Time
  lastSeenAt?: Time
  volume7d: number
  volume: number
  properties: number
  violations: number
  builtin: boolean
}
export interface PropertyDef {
  name: string
  displayName: string
  description: string
  types: { type: 'string' | 'number' | 'boolean' | 'time' | 'array' | 'object' | 'null'; count: number }[]
  expectedType?: string
  required: boolean
  state: DefState
  column: boolean
  samples: string[]
  firstSeenAt?: Time
  lastSeenAt?: Time
  count: number
}
export interface EventDetail extends EventDef {
  items: PropertyDef[]
  trend: { date: string; count: number }[]
}
export interface Violation {
  id: string
  event: string
  property?: string
  kind: 'unexpected_event' | 'missing_property' | 'unexpected_property' | 'wrong_type' | 'never_seen'
  count: number
  firstAt: Time
  lastAt: Time
  sample?: string
  source?: string
}

export interface TagRef {
  id: string
  name: string
  group: string
  color: string
}
export interface TagGroup {
  id: string
  name: string
  color: string
  tags: { id: string; name: string; color: string; contacts: number }[]
}
export interface ContactQuery {
  q?: string
  channel?: string
  tag?: string
  owner?: string
  kind?: 'person' | 'visitor'
  createdFrom?: Time
  createdTo?: Time
  sort?: 'lastSeen' | 'created' | 'name' | 'orders' | 'revenue'
  order?: 'asc' | 'desc'
}
export interface ContactRow {
  id: string
  name: string
  kind: 'person' | 'visitor'
  phone?: string
  email?: string
  city?: string
  channel?: string
  tags: TagRef[]
  owner?: Ref
  orders: number
  revenue: Money[]
  createdAt: Time
  lastSeenAt?: Time
}
export interface ContactInput {
  name: string
  phone?: string
  email?: string
  memberNo?: string
  externalId?: string
  attributes?: Record<string, unknown>
  tags?: string[]
}
export interface Touch {
  channel: string
  source?: string
  medium?: string
  campaign?: string
  at: Time
}
export interface Contact extends ContactRow {
  avatar?: string
  gender?: string
  birthday?: string
  attributes: { key: string; label: string; value: unknown; masked?: boolean }[]
  identities: { id: string; kind: string; value: string; masked?: boolean; firstSeenAt: Time; lastSeenAt: Time; source: string }[]
  firstTouch?: Touch
  lastTouch?: Touch
  firstOrderAt?: Time
  lastOrderAt?: Time
  averageOrder: Money[]
  facts: number
  mergedFrom: { id: string; at: Time; why: string }[]
  /** Identities that came with this contact's events but belong to somebody else. */
  conflicts: { kind: string; reason: 'other_person' | 'shared_device' | 'limit'; other?: Ref; count: number; lastAt: Time }[]
  import?: Ref
}
export interface Note {
  id: string
  text: string
  author: Ref
  createdAt: Time
}
export interface TimelineFact {
  id: string
  timestamp: Time
  receivedAt: Time
  name: string
  title: string
  type: string
  source: string
  properties: Record<string, unknown>
  context?: Record<string, unknown>
  importId?: string
}
export type OrderState = 'paid' | 'partly_refunded' | 'refunded'
export interface Order {
  id: string
  number: string
  contact?: Ref
  state: OrderState
  type: 'order' | 'refund'
  total: Money
  refunded: Money
  paidAt: Time
  source: string
  lines: { sku: string; name: string; quantity: number; price: number; amount: number }[]
  lineCount: number
  importId?: string
}

export interface OverviewKpi {
  key: 'size' | 'new' | 'active' | 'orders' | 'revenue' | 'averageOrder' | 'repeatRate'
  unit: 'people' | 'count' | 'money' | 'ratio'
  value: number
  previous?: number
  spark: number[]
  people?: string
}
export interface ChannelRow {
  channel: string
  size: number
  new: number
  active: number
  buyers: number
  orders: number
  revenue: number
  averageOrder: number
  repeatRate: number
}
export interface Overview {
  from: Time
  to: Time
  timezone: string
  currency: string
  currencies: string[]
  updatedAt: Time
  kpis: OverviewKpi[]
  trend: {
    buckets: Time[]
    interval: string
    series: { key: 'new' | 'active' | 'orders' | 'revenue'; values: number[] }[]
  }
  channels: ChannelRow[]
  events: { name: string; displayName: string; count: number; people: number }[]
  advice: { code: string; params: Record<string, unknown>; severity: 'info' | 'warn'; link: string }[]
}
export interface SearchResult {
  contacts: ContactRow[]
  orders: { id: string; number: string; contact?: Ref; total: Money }[]
  events: { name: string; displayName: string }[]
  imports: Ref[]
}

export interface SystemStatus {
  version: string
  commit: string
  goVersion: string
  startedAt: Time
  uptimeSeconds: number
  memoryBytes: number
  goroutines: number
  nodes?: number
  stores: {
    name: 'records' | 'stream' | 'analytics' | 'files'
    engine: string
    state: 'ok' | 'slow' | 'down'
    sizeBytes: number
    detail: string
  }[]
  pipeline: {
    received: number
    stored: number
    lag: number
    oldestLagSeconds: number
    perSecond: number
    setAside: number
    duplicates: number
  }
  jobs: { queued: number; running: number; failed24h: number }
  checks: { id: string; state: 'ok' | 'warn' | 'fail'; params: Record<string, unknown> }[]
  backup?: { lastAt?: Time }
}
