-- How many callbacks of a paused account were let go because there were too many,
-- or they were too old. n counts since first_at; both stay for a while after the
-- account goes on, so that whoever lets it go on is told what is missing.
create table connector_dropped (
  account text not null primary key,
  n bigint not null,
  first_at bigint not null,
  last_at bigint not null
);
