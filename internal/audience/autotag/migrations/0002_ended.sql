-- Automatic tags that ended because their tag was merged or deleted. The undo of that
-- brings them back; their exceptions stay where they are meanwhile.
create table tag_automations_ended (
  tag text not null primary key,
  kind text not null,
  spec text not null,
  version bigint not null,
  created_at bigint not null,
  by_id text not null,
  by_name text not null,
  ended_at bigint not null
);
