create table jobs (
  id text not null primary key,
  kind text not null,
  title text not null,
  unit text not null,
  link text not null,
  unique_key text not null,      -- '' none
  state text not null,
  done bigint not null,
  total bigint not null,
  params text not null,
  result text not null,          -- '' none, else JSON
  checkpoint text not null,      -- '' none, else JSON
  error text not null,           -- '' none, else JSON
  file_name text not null,       -- '' none
  file_key text not null,
  file_type text not null,
  file_permission text not null, -- '' none beyond jobs.read
  created_by_id text not null,
  created_by_name text not null,
  created_at bigint not null,
  started_at bigint not null,    -- 0 not yet
  finished_at bigint not null,   -- 0 not yet
  run_at bigint not null,        -- not before
  attempt bigint not null,       -- tries so far
  lease bigint not null,         -- grows with every claim: an old holder cannot write
  node text not null,            -- who holds it while running
  heartbeat_at bigint not null,
  cancel_wanted bigint not null, -- 0/1
  crashes bigint not null,       -- take-overs since it last got further
  crash_done bigint not null     -- how far it was then
);
create unique index jobs_unfinished_key on jobs (unique_key) where unique_key <> '' and state in ('queued', 'running');
create index jobs_due on jobs (state, run_at);
create index jobs_newest on jobs (created_at, id);
