-- Merges of attributes and changes of options, which can be undone: what they
-- did to whom is in the history, under their run, with the time at which the old
-- value was true.
create table contact_attribute_runs (
  id text not null primary key,
  kind text not null, -- merge, remap
  attr text not null,
  title text not null,
  spec text not null, -- JSON
  job text not null,
  undo_job text not null default '',
  by_id text not null,
  by_name text not null,
  created_at bigint not null,
  finished_at bigint not null default 0,
  seen bigint not null default 0,
  changed bigint not null default 0,
  unfit bigint not null default 0,
  undone_at bigint not null default 0,
  restored bigint not null default 0,
  kept bigint not null default 0
);
create index contact_attribute_runs_by_time on contact_attribute_runs (created_at);
alter table contact_attribute_history add column run text not null default '';
alter table contact_attribute_history add column was_at bigint not null default 0;
create index contact_attribute_history_by_run on contact_attribute_history (run, contact) where run <> '';
