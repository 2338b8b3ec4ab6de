-- Merges can be undone. `home` is the contact to which a thing came by itself,
-- whomever it is part of today; 0 is the contact itself. An identity's facts are
-- stored under its home, so that they stay with their side when a merge is undone.
alter table identities add column home bigint not null default 0;
alter table contact_tags add column home bigint not null default 0;
alter table contact_notes add column home bigint not null default 0;

-- `own` is what a contact is without those merged into it, JSON; '' when nobody
-- was. The own_ columns count what came under its own number.
alter table contacts add column own text not null default '';
alter table contacts add column own_facts bigint not null default 0;
alter table contacts add column own_seen_at bigint not null default 0;
alter table contacts add column own_last_channel text not null default '';
alter table contacts add column own_last_source text not null default '';
alter table contacts add column own_last_medium text not null default '';
alter table contacts add column own_last_campaign text not null default '';
alter table contacts add column own_last_at bigint not null default 0;
update contacts set own_facts = facts, own_seen_at = last_seen_at, own_last_channel = last_channel, own_last_source = last_source,
  own_last_medium = last_medium, own_last_campaign = last_campaign, own_last_at = last_at where facts > 0 or last_seen_at > 0 or last_at > 0;

-- Who merged by hand and why, which identity of which fact did it otherwise, and
-- who undid it. Merges made before `undoable` was kept cannot be undone.
alter table contact_merges add column undoable bigint not null default 0;
alter table contact_merges add column lookup text not null default '';
alter table contact_merges add column message_id text not null default '';
alter table contact_merges add column fact_name text not null default '';
alter table contact_merges add column fact_at bigint not null default 0;
alter table contact_merges add column note text not null default '';
alter table contact_merges add column by_id text not null default '';
alter table contact_merges add column by_name text not null default '';
alter table contact_merges add column undone_by_id text not null default '';
alter table contact_merges add column undone_by_name text not null default '';
alter table contact_merges add column undone_note text not null default '';

-- People who must never become one by themselves, each pair from both sides.
-- `contact` and `other` are whom they are part of today, the homes whom it was said of.
create table contact_apart (
  home bigint not null,
  other_home bigint not null,
  contact bigint not null,
  other bigint not null,
  why text not null,
  by_id text not null,
  by_name text not null,
  at bigint not null,
  primary key (home, other_home)
);
create index contact_apart_by_contact on contact_apart (contact);
create index contact_apart_by_other on contact_apart (other);

-- What the analytics store is still to be told of merges and splits that no fact
-- made: `into_num` 0 is a split, `members` then leave with `num`. The resolver
-- gives each a place in the stream (seq, idx) and tells it there, again after a crash.
create table contact_tellings (
-- +sqlite
  n integer not null primary key,
-- +end
-- +postgres
  n bigint not null primary key,
-- +end
  num bigint not null,
  into_num bigint not null,
  members text not null,
  seq bigint not null default 0,
  idx bigint not null default 0
);
