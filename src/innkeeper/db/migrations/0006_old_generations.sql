-- What the vendor's older SDKs know things by: builds as whole numbers, and lobbies with a state.

-- ``number`` counts the builds of an organisation from 1. ``app_id`` is the app that an old client made it for: lists of
-- other apps leave it out; null is for every app.
alter table builds add column number bigint;
alter table builds add column app_id text;
update builds set number = (
    select count(*) from builds b where b.org_id = builds.org_id
    and (b.created_at < builds.created_at or (b.created_at = builds.created_at and b.key <= builds.key))
);
create unique index builds_number on builds (org_id, number);

-- ``state`` is JSON that a game's server keeps for everybody to read. ``hidden`` local lobbies stand in no list.
alter table lobbies add column state text;
alter table lobbies add column hidden bigint not null default 0;
