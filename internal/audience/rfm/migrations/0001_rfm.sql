-- Models of what customers are worth. cuts is '' for quintiles.
create table rfm_models (
  id text not null primary key,
  name text not null,
  event text not null,
  property text not null,
  less text not null,
  currency text not null,
  days bigint not null,
  cuts text not null,
  position bigint not null,
  changed_at bigint not null,
  by_id text not null,
  by_name text not null
);
