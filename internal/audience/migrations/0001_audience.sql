-- Sets of contact numbers: who is in a segment, a static list, a snapshot, a
-- stage. A row holds those of 4,096 numbers, from 4,096 × part on. Few of them
-- are two bytes each, many a bit each: at most 512 bytes, so that one change
-- writes one small row. n counts them.
create table audience_sets (
  set_key text not null,
  part bigint not null,
  n bigint not null,
-- +sqlite
  bits blob not null,
-- +end
-- +postgres
  bits bytea not null,
-- +end
  primary key (set_key, part)
);
-- Segments. `rule` is a rule as JSON, sealed inside; static ones have none.
-- members counts the kept set, which answers the rule of ready_version.
create table segments (
  id text not null primary key,
  name text not null,
  name_key text not null,
  note text not null,
  folder text not null,
  kind text not null,
  rule text not null,
  version bigint not null,
  owner_id text not null,
  owner_name text not null,
  by_id text not null,
  by_name text not null,
  created_at bigint not null,
  changed_at bigint not null,
  archived_at bigint not null,
  state text not null,
  fault text not null,
  job text not null,
  ready_version bigint not null,
  members bigint not null,
  counted_at bigint not null,
  snap_every text not null,
  snap_keep bigint not null,
  snap_next bigint not null
);
create unique index segments_by_name on segments (name_key);
create index segments_by_snap on segments (snap_next) where snap_next > 0;
-- What was done to a segment, by whom. Of definitions it has the rule and what
-- the change did to the members; of changes to a list whom it added and took
-- out, kept as sets under `<id>+` and `<id>-`, by which it is undone.
create table segment_history (
  id text not null primary key,
  segment text not null,
  nth bigint not null,
  at bigint not null,
  action text not null,
  by_id text not null,
  by_name text not null,
  version bigint not null,
  rule text not null,
  detail text not null,
  came bigint not null,
  went bigint not null,
  size bigint not null,
  undone_at bigint not null,
  undone_by text not null
);
create unique index segment_history_by_segment on segment_history (segment, nth);
-- How a segment grew: of each day on which it changed, its size at the end, and
-- how many entered and left by what happened to them (not by a new definition).
create table segment_days (
  segment text not null,
  day text not null,
  size bigint not null,
  entered bigint not null,
  went bigint not null,
  primary key (segment, day)
);
-- Who was in a segment at some time; the set is kept under the id.
create table segment_snapshots (
  id text not null primary key,
  segment text not null,
  at bigint not null,
  size bigint not null,
  note text not null,
  every text not null,
  by_id text not null,
  by_name text not null
);
create index segment_snapshots_by_segment on segment_snapshots (segment, at);
