-- Codes of mini-programs: the platform draws them, and gives the picture once. drawn_at
-- is when it did, 0 until then and for codes of official accounts.
alter table scenes add column drawn_at bigint not null default 0;
create table scene_pictures (
  code text not null primary key,
  mime text not null,
-- +sqlite
  body blob not null
-- +end
-- +postgres
  body bytea not null
-- +end
);
