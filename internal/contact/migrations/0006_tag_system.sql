-- Groups have a purpose and rules; tags stand in a tree. Of an `exclusive`
-- group a person has at most one tag.
alter table tag_groups add column description text not null default '';
alter table tag_groups add column purpose text not null default 'other';
alter table tag_groups add column exclusive bigint not null default 0;
alter table tag_groups add column position bigint not null default 0;
alter table tag_groups add column archived_at bigint not null default 0;
update tag_groups set position = (select count(*) from tag_groups b where b.created_at < tag_groups.created_at or b.created_at = tag_groups.created_at and b.id < tag_groups.id);

alter table tags add column description text not null default '';
alter table tags add column parent text not null default '';
alter table tags add column position bigint not null default 0;
alter table tags add column archived_at bigint not null default 0;
alter table tags add column used_at bigint not null default 0;
update tags set position = (select count(*) from tags b where b.group_id = tags.group_id and (b.created_at < tags.created_at or b.created_at = tags.created_at and b.id < tags.id));
update tags set used_at = coalesce((select max(at) from contact_tags where tag = tags.id), 0);
-- A name is unique below its parent.
drop index tags_by_name;
create unique index tags_by_name on tags (group_id, parent, name_key);

-- `run` is the work on many contacts that gave the tag, '' when a person or an import did.
alter table contact_tags add column run text not null default '';

-- How often a tag was given and taken a day, and by whom: trends without reading
-- every person who has it. Days are the company's; those before this table are China's.
create table tag_days (
  tag text not null,
  day bigint not null,
  source text not null,
  by_id text not null,
  by_name text not null default '',
  added bigint not null default 0,
  removed bigint not null default 0,
  primary key (tag, day, source, by_id)
-- +sqlite
) without rowid;
-- +end
-- +postgres
);
-- +end
create index tag_days_by_day on tag_days (day);
insert into tag_days (tag, day, source, by_id, by_name, added)
  select tag, (at + 28800000) / 86400000, source, by_id, max(by_name), count(*) from contact_tags
  where at > (select coalesce(max(at), 0) - 5184000000 from contact_tags)
  group by tag, (at + 28800000) / 86400000, source, by_id;

-- A tag that was merged into another is still found by its old id.
create table tag_moved (
  id text not null primary key,
  into_id text not null,
  run text not null
);

-- Work on the tags of many contacts: who asked, for what, and how far it got.
create table tag_runs (
  id text not null primary key,
  kind text not null,
  title text not null,
  spec text not null,
  job text not null default '',
  undo_job text not null default '',
  by_id text not null,
  by_name text not null,
  source text not null,
  created_at bigint not null,
  total bigint not null default 0,
  seen bigint not null default 0,
  people bigint not null default 0,
  added bigint not null default 0,
  removed bigint not null default 0,
  missing bigint not null default 0,
  finished_at bigint not null default 0,
  undone_at bigint not null default 0,
  restored bigint not null default 0,
  kept bigint not null default 0,
  swept_at bigint not null default 0
);
create index tag_runs_by_time on tag_runs (created_at, id);
-- What a run changed, for its undo. `added`: 1 given, 0 taken (then `image` is the
-- row as it was, `cause` the tag that took its place), 2 both, so nothing.
-- `touched`: somebody gave it again since.
create table tag_run_changes (
  run text not null,
  contact bigint not null,
  tag text not null,
  added bigint not null,
  cause text not null default '',
  image text not null default '',
  touched bigint not null default 0,
  primary key (run, contact, tag)
-- +sqlite
) without rowid;
-- +end
-- +postgres
);
-- +end
create index tag_run_changes_taken on tag_run_changes (tag, contact) where added = 0;
-- Rows of a file that could not be used.
create table tag_run_missing (
  run text not null,
  line bigint not null,
  reason text not null,
  primary key (run, line)
-- +sqlite
) without rowid;
-- +end
-- +postgres
);
-- +end
