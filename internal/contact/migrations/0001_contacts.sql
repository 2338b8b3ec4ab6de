-- People and visitors. `num` is dense: bitmaps and the analytics store speak of it.
-- `shown` says in which list a contact stands: 1 people, 2 visitors, 0 none (merged into another).
-- `kinds` has a bit for each kind of identity that the contact carries.
-- `written` tells for each attribute when it was true: the later word wins.
create table contacts (
-- +sqlite
  num integer not null primary key,
-- +end
-- +postgres
  num bigint not null primary key,
-- +end
  id text not null,
  kind text not null,
  shown bigint not null,
  name text not null default '',
-- +sqlite
  name_key text not null default '',
  name_pinyin text not null default '{',
  name_initials text not null default '',
-- +end
-- +postgres
  name_key text collate "C" not null default '',
  name_pinyin text collate "C" not null default '{',
  name_initials text collate "C" not null default '',
-- +end
  avatar text not null default '',
  gender text not null default '',
  birthday text not null default '',
  city text not null default '',
  attributes text not null default '',
  written text not null default '',
  owner_id text not null default '',
  channel text not null default '',
  first_source text not null default '',
  first_medium text not null default '',
  first_campaign text not null default '',
  first_at bigint not null default 0,
  last_channel text not null default '',
  last_source text not null default '',
  last_medium text not null default '',
  last_campaign text not null default '',
  last_at bigint not null default 0,
  kinds bigint not null default 0,
  created_at bigint not null,
  created_source text not null default '',
  import_id text not null default '',
  updated_at bigint not null,
  last_seen_at bigint not null default 0,
  facts bigint not null default 0,
  orders bigint not null default 0,
  revenue text not null default '',
  revenue_main bigint not null default 0,
  first_order_at bigint not null default 0,
  last_order_at bigint not null default 0,
  merged_into bigint not null default 0
);
create unique index contacts_by_id on contacts (id);
-- One index for each order of the list. Each also holds what the list is filtered
-- by, so that a page is found without touching rows that do not match.
create index contacts_by_seen on contacts (shown, last_seen_at, num, channel, owner_id, created_at);
create index contacts_by_created on contacts (shown, created_at, num, channel, owner_id);
create index contacts_by_name on contacts (name_pinyin, num, channel, owner_id, created_at, name_key, name_initials) where shown = 1;
create index contacts_by_orders on contacts (orders, num, channel, owner_id, created_at) where shown = 1;
create index contacts_by_revenue on contacts (revenue_main, num, channel, owner_id, created_at) where shown = 1;
-- These answer counts by themselves: by channel, by owner, and of contacts found by tag or name.
create index contacts_by_channel on contacts (shown, channel, created_at, owner_id);
create index contacts_by_owner on contacts (owner_id, shown, channel, created_at) where owner_id <> '';
create index contacts_facets on contacts (num, shown, channel, owner_id, created_at);
-- Names are searched by prefix: as written, in pinyin (contacts_by_name), by initials.
create index contacts_by_key on contacts (name_key) where shown = 1 and name_key <> '';
create index contacts_by_initials on contacts (name_initials, name_pinyin) where shown = 1 and name_initials <> '';
create index contacts_by_merged on contacts (merged_into) where merged_into <> 0;

-- An identity belongs to exactly one contact. `lookup` is the normalised value,
-- or its blind index when the kind is personal; then `value_enc` holds the sealed value.
create table identities (
  kind text not null,
  lookup text not null,
  value_enc text not null default '',
  contact bigint not null,
  first_seen bigint not null,
  last_seen bigint not null,
  source text not null default '',
  import_id text not null default '',
  primary key (kind, lookup)
-- +sqlite
) without rowid;
-- +end
-- +postgres
);
-- +end
create index identities_by_contact on identities (contact);

-- Facts whose identifiers name people that must not become one. `contact` got
-- the fact, `holder` keeps the identity (0: nobody has it).
create table identity_conflicts (
  kind text not null,
  lookup text not null,
  contact bigint not null,
  holder bigint not null,
  reason text not null,
  count bigint not null,
  first_at bigint not null,
  last_at bigint not null,
  seq bigint not null,
  idx bigint not null,
  primary key (kind, lookup, contact)
);
create index identity_conflicts_by_contact on identity_conflicts (contact);
create index identity_conflicts_by_holder on identity_conflicts (holder);

-- Values that were sent as identifiers and are none ("null", "0000", a phone number too short).
-- `value` is empty where it may be personal.
create table identity_refusals (
  kind text not null,
  value text not null,
  reason text not null,
  count bigint not null,
  first_at bigint not null,
  last_at bigint not null,
  primary key (kind, value, reason)
);

-- Each merge, in the order made, with what moved and what the survivor looked
-- like before, so that it can be explained and undone. The row of `from_num` stays.
create table contact_merges (
  id text not null primary key,
  from_num bigint not null,
  into_num bigint not null,
  seq bigint not null,
  idx bigint not null,
  reason text not null,
  detail text not null default '',
  moved text not null default '',
  before text not null default '',
  at bigint not null,
  undone_at bigint not null default 0
);
create index contact_merges_by_from on contact_merges (from_num);
create index contact_merges_by_into on contact_merges (into_num);
create index contact_merges_by_seq on contact_merges (seq);

-- How far resolving went: what comes at or before it is a replay.
create table contact_cursor (
  name text not null primary key,
  seq bigint not null,
  idx bigint not null,
  epoch bigint not null default 0
);

create table tag_groups (
  id text not null primary key,
  name text not null,
  name_key text not null,
  color text not null,
  created_at bigint not null
);
create unique index tag_groups_by_name on tag_groups (name_key);
create table tags (
  id text not null primary key,
  group_id text not null,
  name text not null,
  name_key text not null,
  color text not null,
  created_at bigint not null,
  import_id text not null default ''
);
create unique index tags_by_name on tags (group_id, name_key);
-- `shown` is that of the contact, so that a tag's people are counted from the index alone.
create table contact_tags (
  contact bigint not null,
  tag text not null,
  shown bigint not null,
  at bigint not null,
  by_id text not null default '',
  by_name text not null default '',
  source text not null,
  import_id text not null default '',
  primary key (contact, tag)
-- +sqlite
) without rowid;
-- +end
-- +postgres
);
-- +end
create index contact_tags_by_tag on contact_tags (tag, shown, contact);

create table contact_notes (
  id text not null primary key,
  contact bigint not null,
  body text not null,
  author_id text not null,
  author_name text not null,
  created_at bigint not null
);
create index contact_notes_by_contact on contact_notes (contact, created_at, id);

-- What an import of contacts changed: the image before it ('' when it made the contact),
-- and what it wrote, for undo.
create table contact_import_changes (
  import_id text not null,
  contact bigint not null,
  before text not null,
  after text not null,
  primary key (import_id, contact)
);
-- How many facts an import gave a contact, and when it was last seen without them.
create table contact_import_facts (
  import_id text not null,
  contact bigint not null,
  facts bigint not null,
  last_at bigint not null,
  seen_before bigint not null,
  primary key (import_id, contact)
);
create index contact_import_facts_by_contact on contact_import_facts (contact);
-- Contacts removed by an undo, until everybody else has forgotten them too.
create table contact_removals (
  num bigint not null primary key,
  import_id text not null,
  at bigint not null
);
