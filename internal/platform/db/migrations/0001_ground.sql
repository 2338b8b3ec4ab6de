-- Numbers handed out in blocks (dense contact numbers and the like).
create table sequences (name text not null primary key, next bigint not null);

-- Facts and notices written in the transaction of the change they state;
-- relayed to the stream afterwards, at least once, in order of id.
create table outbox (
  id bigint not null primary key,
  topic text not null,
  payload text not null,
  created_at bigint not null
);
