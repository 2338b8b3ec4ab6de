-- What the live engine remembers between two starts: until when it followed the
-- clock.
create table audience_live (
  name text not null primary key,
  at bigint not null
);
