-- By how much a conversion may differ from its baseline, in percent; channel '' is
-- for channels that have no line of their own. burst is how many openings of one
-- thing within ten minutes from one network are a person's at most.
create table quality_limits (channel text primary key, percent bigint not null);
insert into quality_limits (channel, percent) values ('', 15);
create table quality_settings (one bigint primary key, burst bigint not null, looked_at bigint not null);
insert into quality_settings (one, burst, looked_at) values (1, 30, 0);

-- What was found. mark tells the same find on a second look. evidence is figures:
-- the samples of the baseline, or what the visits have in common; it names nobody.
create table quality_findings (
  id text primary key,
  mark text not null unique,
  kind text not null,
  measure text not null,
  subject text not null,
  title text not null,
  channel text not null,
  from_at bigint not null,
  to_at bigint not null,
  evidence text not null,
  people bigint not null,
  state text not null,
  note text not null,
  by_id text not null,
  by_name text not null,
  found_at bigint not null,
  judged_at bigint not null
);
create index quality_findings_by_time on quality_findings (found_at, id);
create index quality_findings_open on quality_findings (state, found_at, id);

-- Whom a finding speaks of. fake is 1 while the finding is judged fake and they
-- are taken to be no people: they first came within its span and bought nothing.
create table quality_suspects (
  finding text not null,
  contact bigint not null,
  fake bigint not null,
  primary key (finding, contact)
);
create index quality_suspects_fake on quality_suspects (contact) where fake = 1;
