-- What was learned (counts, times) and what people say (names, state) of an event.
create table dictionary_events (
  name text not null primary key,
  display_name text not null,
  description text not null,
  category text not null,
  owner text not null,
  state text not null,
  first_seen_at bigint not null,
  last_seen_at bigint not null,
  count bigint not null
);

create table dictionary_properties (
  event text not null,
  name text not null,
  display_name text not null,
  description text not null,
  state text not null,
  expected_type text not null,
  required bigint not null,
  samples text not null,
  first_seen_at bigint not null,
  last_seen_at bigint not null,
  n_string bigint not null,
  n_number bigint not null,
  n_boolean bigint not null,
  n_time bigint not null,
  n_array bigint not null,
  n_object bigint not null,
  n_null bigint not null,
  primary key (event, name)
);

create table dictionary_violations (
  id text not null primary key,
  event text not null,
  property text not null,
  kind text not null,
  count bigint not null,
  first_at bigint not null,
  last_at bigint not null,
  sample text not null,
  source text not null,
  unique (event, property, kind)
);
create index dictionary_violations_newest on dictionary_violations (last_at, id);

-- version: changes with every edit, so that the learner reads anew.
-- overflow_events, overflow_properties: sightings beyond the bounds.
create table dictionary_counters (name text not null primary key, value bigint not null);
