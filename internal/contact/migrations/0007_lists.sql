-- Who carries a kind of identity is read from here, without touching identities.
create index contacts_by_kinds on contacts (shown, kinds, num);
