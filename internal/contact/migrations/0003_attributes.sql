-- Definitions of custom attributes, as JSON. `settling` says that a change is
-- still being written into the contacts: until then values are brought into form
-- when they are read, and `before` is the definition that made them, if another.
create table contact_attributes (
  key text not null primary key,
  definition text not null,
  settling bigint not null default 0,
  before text not null default '',
  archived_at bigint not null default 0,
  created_at bigint not null,
  updated_at bigint not null
);

-- Values of indexed attributes, by which lists are filtered: `str` is the folded
-- text, option, day's place or code, `num` the number ×10,000, the day in ms or the
-- minor units. Sealed values stand under their blind index. `shown` is that of
-- the contact, so that matches are counted from the index alone. Merged contacts
-- have none; rows are written with the contact's record.
create table contact_attribute_values (
  attr text not null,
-- +sqlite
  str text not null,
-- +end
-- +postgres
  str text collate "C" not null,
-- +end
  num bigint not null,
  shown bigint not null,
  contact bigint not null,
-- +sqlite
  primary key (attr, str, num, contact)
) without rowid;
-- +end
-- +postgres
  primary key (attr, str, num, contact) include (shown)
);
-- +end
create index contact_attribute_values_by_contact on contact_attribute_values (contact, attr);

-- What was said of defined attributes, and of name, gender, birthday and city,
-- under the number it was written for; `nth` counts by contact and attribute.
-- Values are JSON, sealed where the contact's own are; '' is none.
create table contact_attribute_history (
  contact bigint not null,
  attr text not null,
  nth bigint not null,
  old text not null,
  new text not null,
  at bigint not null,
  written_at bigint not null,
  source text not null,
  by_id text not null default '',
  by_name text not null default '',
  primary key (contact, attr, nth)
-- +sqlite
) without rowid;
-- +end
-- +postgres
);
-- +end

-- Values that facts and imports sent and that the definition does not take.
-- `samples` is a JSON array of the newest, veiled.
create table contact_attribute_violations (
  attr text not null,
  reason text not null,
  source text not null,
  count bigint not null,
  first_at bigint not null,
  last_at bigint not null,
  samples text not null,
  primary key (attr, reason, source)
);

-- What the last look at everybody found: by key, how many people have it, of what
-- type it seems to be, and samples, veiled. The key '' counts the people.
create table contact_attribute_survey (
  key text not null primary key,
  people bigint not null,
  unfit bigint not null,
  guess text not null,
  samples text not null,
  at bigint not null
);
