-- Keyed hashes under which people are looked up. A hash with more than the limit
-- of people is kept for that many and one more, which says that it is too common.
create table match_keys (
  key bigint not null,
  contact bigint not null,
  primary key (key, contact)
-- +sqlite
) without rowid;
-- +end
-- +postgres
);
-- +end

-- Pairs that may be one person. a < b are the numbers for which the pair was
-- found. `weight` is the log of the odds in thousandths of a bit; the score, 0 to
-- 100, follows from it. `evidence` holds levels of likeness, never values.
-- `reviewed` tells whether a person decided this pair by itself: only such pairs
-- count when the list judges itself.
create table match_pairs (
  id text not null primary key,
  a bigint not null,
  b bigint not null,
  state text not null,
  weight bigint not null,
  evidence text not null,
  run bigint not null default 0,
  found_at bigint not null,
  until_at bigint not null default 0,
  decided_at bigint not null default 0,
  decided_by text not null default '',
  decided_name text not null default '',
  reviewed bigint not null default 0
);
create unique index match_pairs_by_people on match_pairs (a, b);
create index match_pairs_by_other on match_pairs (b);
create index match_pairs_by_weight on match_pairs (state, weight, id);
create index match_pairs_by_decision on match_pairs (state, decided_at, id);

-- Settings, what the pond taught, and how far the last run got.
create table match_state (
  name text not null primary key,
  value text not null
);
