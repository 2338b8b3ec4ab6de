/**
 * Names for the shapes of the HTTP API. They are taken from the generated schema
 * by route, so that what a page calls a contact is what the route answers.
 * `make gen` writes the schema anew after the server's types change.
 */
import type { components, paths } from './generated/schema'

export type { components, paths }

type Routes = { [P in keyof paths]: { [M in keyof paths[P]]: paths[P][M] } }

/** The body of a good answer. */
type Answer<P extends keyof Routes, M extends keyof Routes[P]> = Routes[P][M] extends { responses: { 200: { content: { 'application/json': infer B } } } } ? B : never

/** The body that is sent. */
type Sent<P extends keyof Routes, M extends keyof Routes[P]> = Routes[P][M] extends { requestBody: { content: { 'application/json': infer B } } } ? B : never

/** The parameters behind the question mark. */
type Asked<P extends keyof Routes> = Routes[P] extends { get: { parameters: { query?: infer Q } } } ? NonNullable<Q> : never

/** One of a list's items. */
type Item<P extends keyof Routes> = Answer<P, 'get' & keyof Routes[P]> extends { items: (infer T)[] } ? T : never

export type Money = components['schemas']['Money']

export type Setup = Answer<'/api/setup', 'get'>
export type SetupInput = Sent<'/api/setup', 'post'>
export type Language = SetupInput['language']
export type Me = Answer<'/api/session', 'get'>
export type Session = Item<'/api/sessions'>
export type Company = Answer<'/api/settings', 'get'>

export type AttributeList = Answer<'/api/attributes', 'get'>
export type AttributeDef = AttributeList['items'][number]
export type AttributeInput = Sent<'/api/attributes', 'post'>
export type AttributePatch = Sent<'/api/attributes/{key}', 'patch'>
export type AttributeChange = Item<'/api/contacts/{id}/attributes/{key}/history'>
export type AttributeViolation = Item<'/api/attributes/{key}/violations'>
export type Retype = Sent<'/api/attributes/{key}/retype', 'post'>
export type RetypePreview = Answer<'/api/attributes/{key}/retype/preview', 'post'>
export type AttributeMerge = Sent<'/api/attributes/{key}/merge', 'post'>
export type AttributeMergePreview = Answer<'/api/attributes/{key}/merge/preview', 'post'>
export type OptionChange = Sent<'/api/attributes/{key}/options/remap', 'post'>['changes'][number]
export type OptionsPreview = Answer<'/api/attributes/{key}/options/preview', 'post'>
export type AttributeRun = Item<'/api/attribute-runs'>
export type Use = Item<'/api/attributes/{key}/uses'>
export type TriedValue = Answer<'/api/attributes/try', 'post'>
export type Place = Item<'/api/regions'>

export type User = Item<'/api/users'>
export type UserInput = Sent<'/api/users', 'post'>
export type NewUser = Answer<'/api/users', 'post'>
export type Role = Item<'/api/roles'>
export type Department = Item<'/api/departments'>
export type Permission = Answer<'/api/roles', 'get'>['permissions'][number]
export type Token = Item<'/api/tokens'>
export type WriteKey = Item<'/api/write-keys'>
export type Webhook = Item<'/api/webhooks'>
export type WebhookInput = Sent<'/api/webhooks', 'post'>
export type NewWebhook = Answer<'/api/webhooks', 'post'>
export type WebhookDelivery = Item<'/api/webhooks/{id}/deliveries'>
export type WebhookTried = Answer<'/api/webhooks/{id}/test', 'post'>

export type StaffAccount = Item<'/api/colleagues/accounts'>
export type CorpMember = Item<'/api/colleagues'>
export type Friendship = Item<'/api/friendships'>

export type GroupAccount = Item<'/api/groups/accounts'>
export type CustomerGroup = Item<'/api/groups'>
export type GroupDetail = Answer<'/api/groups/{account}/{id}', 'get'>
export type GroupMember = Item<'/api/groups/{account}/{id}/members'>
export type GroupStay = Item<'/api/contacts/{id}/groups'>

export type TagMirror = Item<'/api/tag-mirrors'>
export type TagMirrorChange = Sent<'/api/tag-mirrors/{account}', 'patch'>
export type TagLink = Item<'/api/tag-mirrors/{account}/links'>
export type TagLinkPreview = Answer<'/api/tag-mirrors/{account}/preview', 'get'>
export type TagLinkInput = Sent<'/api/tag-mirrors/{account}/links', 'post'>
export type TagMirrorFailure = Item<'/api/tag-mirrors/{account}/failed'>
export type Handover = Item<'/api/handovers'>
export type HandoverInput = Sent<'/api/handovers', 'post'>
export type HandedCustomer = Item<'/api/handovers/{id}/customers'>
export type HandedGroup = Item<'/api/handovers/{id}/groups'>
export type Leaver = Item<'/api/leavers'>

export type AuditEntry = Item<'/api/audit'>
export type AuditVerdict = Answer<'/api/audit/verify', 'post'>

export type Job = Item<'/api/jobs'>
export type JobState = Job['state']

export type ImportPlan = Sent<'/api/imports/preview', 'post'>
export type ImportKind = ImportPlan['kind']
export type Mapping = ImportPlan['mapping']
export type ImportOptions = ImportPlan['options']
export type Upload = Answer<'/api/import-files/{id}', 'get'>
export type ImportField = Item<'/api/imports/fields'>
export type ImportPreview = Answer<'/api/imports/preview', 'post'>
export type Import = Item<'/api/imports'>
export type SavedMapping = Item<'/api/imports/mappings'>

export type Match = Item<'/api/matches'>
export type MatchFace = Match['a']
export type MatchEvidence = Match['evidence'][number]
export type MatchSettings = Sent<'/api/matches/settings', 'put'>
export type MatchSummary = Answer<'/api/matches/summary', 'get'>

export type SetAside = Item<'/api/facts/set-aside'>

export type EventDef = Item<'/api/dictionary/events'>
export type EventDetail = Answer<'/api/dictionary/events/{name}', 'get'>
export type PropertyDef = EventDetail['items'][number]
export type DefState = EventDef['state']
export type Violation = Item<'/api/dictionary/violations'>

export type ContactQuery = Asked<'/api/contacts'>
export type ContactRow = Item<'/api/contacts'>
export type SelectionBody = Sent<'/api/contacts/count', 'post'>
export type ContactFilter = NonNullable<SelectionBody['filter']>
export type Rule = NonNullable<ContactFilter['where']>
export type RuleNode = Omit<Rule, 'v'>
export type RuleEvent = components['schemas']['Event']
export type RuleSequence = components['schemas']['Sequence']
export type RuleStep = components['schemas']['Step']
export type RuleHabit = components['schemas']['Habit']
export type RuleWhere = components['schemas']['Where']
export type RuleWindow = components['schemas']['Window']
export type RuleSpan = components['schemas']['Span']
export type RuleField = Item<'/api/contacts/fields'>
export type ContactView = Item<'/api/contact-views'>
export type ViewPrefs = Answer<'/api/contact-views', 'get'>['prefs']
export type ViewInput = Sent<'/api/contact-views', 'post'>
export type ExportInput = Sent<'/api/contacts/export', 'post'>
export type ContactInput = Sent<'/api/contacts', 'post'>
export type Contact = Answer<'/api/contacts/{id}', 'get'>
export type Touch = NonNullable<Contact['firstTouch']>
export type Look = Item<'/api/contacts/{id}/looks'>
export type OwnerChange = Item<'/api/contacts/{id}/owners'>
export type Colleague = Item<'/api/contacts/{id}/staff'>
export type Reassignment = Answer<'/api/reassignments/{id}', 'get'>
export type OwnerWatch = Answer<'/api/owner-watch', 'get'>
export type ContactFile = Item<'/api/contacts/{id}/files'>
export type RelatedPerson = Item<'/api/contacts/{id}/relations'>
export type Note = Item<'/api/contacts/{id}/notes'>
export type TimelineFact = Item<'/api/contacts/{id}/timeline'>

export type Consents = Answer<'/api/contacts/{id}/consents', 'get'>
export type ConsentCell = Consents['purposes'][number]['cells'][number]
export type ConsentChange = Sent<'/api/contacts/{id}/consents', 'post'>['changes'][number]
export type ConsentRow = Item<'/api/consent/ledger'>
export type ConsentPurpose = Item<'/api/consent/purposes'>
export type ConsentTotals = Answer<'/api/consent/totals', 'get'>
export type ConsentBatch = Item<'/api/consent/changes'>
export type ConsentCheck = Answer<'/api/consent/ledger/check', 'get'>
export type ConsentPerson = Item<'/api/consent/people'>
export type Suppression = Item<'/api/consent/suppressions'>
export type PreferenceLink = Answer<'/api/contacts/{id}/preference-link', 'post'>
export type ConsentWork = Answer<'/api/consent/changes/{batch}', 'get'>
export type ConsentBulk = Sent<'/api/consent/changes', 'post'>
export type ConsentBulkQuestion = Sent<'/api/consent/changes/preview', 'post'>
export type ConsentBulkPreview = Answer<'/api/consent/changes/preview', 'post'>
export type ConsentDraft = NonNullable<Sent<'/api/consent/preview', 'post'>['draft']>
export type NewConsentPurpose = Sent<'/api/consent/purposes', 'post'>
export type ConsentPurposeChange = Sent<'/api/consent/purposes/{purpose}', 'patch'>

export type Order = Item<'/api/orders'>
export type OrderState = Order['state']

export type Overview = Answer<'/api/overview', 'get'>
export type OverviewKpi = Overview['kpis'][number]
export type ChannelRow = Overview['channels'][number]
export type Channel = Item<'/api/channels'>
export type ChannelInput = Sent<'/api/channels', 'post'>
export type ChannelRule = Answer<'/api/channel-rules', 'get'>['rules'][number]
export type ChannelTried = Answer<'/api/channel-rules/try', 'post'>
export type ChannelClue = Sent<'/api/channel-rules/try', 'post'>
export type ChannelCosts = Answer<'/api/channel-costs', 'get'>
export type ChannelCost = ChannelCosts['items'][number]
export type ChannelSpread = Sent<'/api/channel-costs/spread', 'post'>
export type CostFile = Sent<'/api/channel-costs/import', 'post'>
export type CostResult = Answer<'/api/channel-costs/import', 'post'>
export type ChannelReport = Answer<'/api/channel-report', 'get'>
export type ChannelLine = ChannelReport['items'][number]
export type ChannelFigures = ChannelReport['total']
export type ChannelTrend = Answer<'/api/channel-trend', 'get'>
export type ShortLink = Item<'/api/links'>
export type LinkInput = Sent<'/api/links', 'post'>
export type LinkStats = Answer<'/api/links/{code}/stats', 'get'>
export type LinkOpen = Item<'/api/link-openings'>
export type LinkSettings = Answer<'/api/link-settings', 'get'>
export type LinkBatch = Sent<'/api/links/batch', 'post'>
export type LinkBatchResult = Answer<'/api/links/batch', 'post'>
export type SearchResult = Answer<'/api/search', 'get'>

export type SystemStatus = Answer<'/api/system', 'get'>

/** One message of the live stream, /api/facts/live, whose messages the schema cannot describe. */
export interface LiveFact {
  position: string
  receivedAt: string
  timestamp: string
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

export type FollowUp = Item<'/api/follow-ups'>
export type Notification = Item<'/api/notifications'>
export type MergeStory = Item<'/api/contacts/{id}/merges'>
export type KindRule = Item<'/api/identity/kinds'>
export type KindUsage = Item<'/api/identity/usage'>
export type BlockedValue = Item<'/api/identity/blocked'>
export type NotJoined = Item<'/api/identity/conflicts'>
export type NoIdentity = Item<'/api/identity/refusals'>
export type MergePreview = Answer<'/api/contacts/{id}/merge/preview', 'post'>
export type UndoPreview = Answer<'/api/merges/{id}/undo/preview', 'post'>
export type TagGroup = components['schemas']['TagGroup']
export type Tag = TagGroup['tags'][number]
export type TagUsage = Answer<'/api/tags/{id}/usage', 'get'>
export type TagAutomation = Answer<'/api/tags/{id}/automation', 'get'>
export type TagDefinition = Sent<'/api/tags/{id}/automation', 'put'>
export type TagScore = NonNullable<TagDefinition['score']>
export type TagAutomationPreview = Answer<'/api/tags/{id}/automation/preview', 'post'>
export type TagExceptionPage = Answer<'/api/tags/{id}/automation/exceptions', 'get'>
export type TagWork = Sent<'/api/tags/bulk', 'post'>
export type TagPreview = Answer<'/api/tags/bulk/preview', 'post'>
export type TagRun = Answer<'/api/tag-runs/{id}', 'get'>
export type TagMergePreview = Answer<'/api/tags/{id}/merge/preview', 'post'>
export type NewTag = Sent<'/api/tags', 'post'>
export type NewTagGroup = Sent<'/api/tag-groups', 'post'>
export type TagChange = Sent<'/api/tags/{id}', 'patch'>
export type TagGroupChange = Sent<'/api/tag-groups/{id}', 'patch'>
export type TagOrder = Sent<'/api/tag-groups/{id}/tags', 'put'>

export type Machine = Answer<'/api/lifecycle', 'get'>
export type MachineState = Sent<'/api/lifecycle', 'put'>['states'] extends (infer T)[] | null ? T : never
export type MachinePreview = Answer<'/api/lifecycle/preview', 'post'>
export type MachineFlow = Answer<'/api/lifecycle/flow', 'get'>
export type Standing = Answer<'/api/contacts/{id}/moves/lifecycle', 'get'>
export type Placed = Item<'/api/lifecycle/pins'>
export type PlaceMany = Sent<'/api/lifecycle/pins/bulk', 'post'>
export type PlaceReach = Answer<'/api/lifecycle/pins/bulk', 'post'>
export type PlaceRun = Answer<'/api/lifecycle/pins/runs/{id}', 'get'>

export type Rfm = Answer<'/api/rfm/models/{id}', 'get'>
export type RfmModel = Item<'/api/rfm/models'>
export type RfmModelInput = Sent<'/api/rfm/models', 'post'>
export type RfmMigration = Answer<'/api/rfm/models/{id}/migration', 'get'>
export type Estimate = Answer<'/api/rules/estimate', 'post'>
export type Segment = Item<'/api/segments'>
export type SegmentInput = Sent<'/api/segments', 'post'>
export type NewSegment = Answer<'/api/segments', 'post'>
export type SegmentPatch = Sent<'/api/segments/{id}', 'patch'>
export type CopiedSegment = Answer<'/api/segments/{id}/copy', 'post'>
export type MembersBody = Sent<'/api/segments/{id}/members', 'post'>
export type MembersChange = Answer<'/api/segments/{id}/members', 'post'>
export type Schedule = Sent<'/api/segments/{id}/schedule', 'put'>
export type SegmentGrowth = Answer<'/api/segments/{id}/growth', 'get'>
export type SegmentEvent = Item<'/api/segments/{id}/history'>
export type Snapshot = Item<'/api/segments/{id}/snapshots'>
export type SegmentOverlap = Answer<'/api/segments/overlap', 'post'>
export type ExportFormat = Sent<'/api/segments/{id}/export', 'post'>['format']
export type SegmentTrait = Answer<'/api/segments/{id}/compare', 'get'>['items'][number]
export type Explained = Answer<'/api/rules/explain', 'post'>

export type ConnectorKind = Item<'/api/connectors/kinds'>
export type ConnectorField = ConnectorKind['fields'][number]
export type Connector = Item<'/api/connectors'>
export type ConnectorInput = Sent<'/api/connectors', 'post'>
export type ConnectorQuota = NonNullable<Connector['quotas']>[number]
export type ConnectorTemplate = Item<'/api/connector-tests/{id}/templates'>
export type ConnectorTest = Sent<'/api/connector-tests/{id}', 'post'>
export type ConnectorTested = Answer<'/api/connector-tests/{id}', 'post'>
export type Callback = Item<'/api/connectors/inbox'>
export type OpenedCallback = Answer<'/api/connectors/inbox/{id}', 'get'>
export type SimInbox = Item<'/api/sim/inboxes'>
export type SimText = Item<'/api/sim/inboxes/{number}'>
export type SimBox = Item<'/api/sim/mailboxes'>
export type SimLetter = Item<'/api/sim/mailboxes/{address}'>
export type SimWorld = Answer<'/api/sim', 'get'>
export type SimPeople = Answer<'/api/sim/people', 'get'>
export type SimPhone = Answer<'/api/sim/phones/{person}', 'get'>
export type SimLine = NonNullable<NonNullable<SimPhone['chats']>[number]['lines']>[number]
export type SimAct = Sent<'/api/sim/acts', 'post'>
export type SimDone = Answer<'/api/sim/acts', 'post'>
export type SimDiary = Answer<'/api/sim/diary', 'get'>
export type SimEntry = NonNullable<SimDiary['entries']>[number]
export type SimFault = Answer<'/api/sim/faults', 'post'>
export type SimFaultInput = Sent<'/api/sim/faults', 'post'>
export type LiveCodeRow = Item<'/api/live-codes'>
export type LiveCode = Answer<'/api/live-codes/{id}', 'get'>
export type LiveCodeInput = Sent<'/api/live-codes', 'post'>
export type LiveCodeMember = NonNullable<LiveCodeInput['members']>[number]
export type LiveCodeWelcome = Answer<'/api/live-code-welcomes/{account}', 'get'>
export type LiveCodeAttachment = NonNullable<LiveCodeWelcome['attachments']>[number]
export type LiveCodeDuty = NonNullable<LiveCode['duties']>[number]
export type LiveCodeStats = Answer<'/api/live-codes/{id}/stats', 'get'>
export type LiveCodeFigures = LiveCodeStats['total']
export type LiveCodeLine = NonNullable<LiveCodeStats['days']>[number]
export type LiveCodeCame = Item<'/api/live-codes/{id}/people'>
export type LiveCodeEntry = Item<'/api/live-codes/{id}/log'>
export type LiveCodeOptions = Answer<'/api/live-codes/options', 'get'>
export type LiveCodeAccount = NonNullable<LiveCodeOptions['accounts']>[number]
export type LiveCodeBatchLine = NonNullable<Answer<'/api/live-codes/batch/lines', 'post'>['lines']>[number]

export type LandingRow = Item<'/api/landing-pages'>
export type LandingPage = Answer<'/api/landing-pages/{id}', 'get'>
export type LandingInput = Sent<'/api/landing-pages', 'post'>
export type LandingDesign = LandingInput['design']
export type LandingBlock = NonNullable<LandingDesign['blocks']>[number]
export type LandingThanks = LandingDesign['thanks']
export type LandingStats = Answer<'/api/landing-pages/{id}/stats', 'get'>
export type LandingChoices = Answer<'/api/landing-pages/choices', 'get'>
export type TrafficFinding = Item<'/api/traffic'>
export type TrafficSettings = Answer<'/api/traffic/settings', 'get'>
export type OrderTouches = Answer<'/api/order-touches', 'get'>
export type Reply = Item<'/api/replies'>
export type ReplyInput = Sent<'/api/replies', 'post'>
export type ReplyWord = NonNullable<ReplyInput['words']>[number]
export type ReplyContent = NonNullable<ReplyInput['contents']>[number]
export type ReplyLine = NonNullable<ReplyContent['lines']>[number]
export type ReplyAccount = Item<'/api/replies/accounts'>
export type ReplyTrial = Sent<'/api/replies/try', 'post'>
export type ReplyTried = Answer<'/api/replies/try', 'post'>
export type ReplyHours = Answer<'/api/reply-hours/{account}', 'get'>
export type ReplyDay = NonNullable<ReplyHours['days']>[number]
export type Menu = Answer<'/api/menus/{account}', 'get'>
export type MenuButton = NonNullable<Menu['buttons']>[number]
export type MenuStats = Answer<'/api/menus/{account}/stats', 'get'>
export type MenuFigures = MenuStats['buttons'][number]
export type MenuVersion = Item<'/api/menus/{account}/versions'>
export type SceneCode = Item<'/api/scene-codes'>
export type SceneCodeInput = Sent<'/api/scene-codes', 'post'>
