-- Who got which gift, by its name, and with which code and welcome: a person gets a
-- gift once, whichever codes carry it. given is 0 claimed, 1 given, 2 perhaps given.
-- What was given before stays in livecode_hooks, by code, and is asked as well.
create table livecode_gifts (
  gift text not null,
  person text not null,
  code text not null,
  welcome text not null,
  given bigint not null,
  at bigint not null,
  primary key (gift, person)
);
create index livecode_gifts_by_person on livecode_gifts (person);
create index livecode_hooks_by_person on livecode_hooks (person);
