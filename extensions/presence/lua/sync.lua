-- Brings connections of an instance up to date.
--
-- KEYS[1]  leases: sorted set, incarnation → milliseconds of Redis' clock at which its lease ends
-- ARGV[1]  key prefix
-- ARGV[2]  incarnation
-- ARGV[3…] one JSON object for each connection: {c: connection, d: document, u: tenant/person, e: entry, as JSON
--          text; none: the connection is over, a: milliseconds since it was opened}
-- Writes   <prefix>document:<document>     hash, connection → entry, with `opened`: milliseconds of Redis' clock
--          <prefix>person:<tenant/person>  hash, connection → document
--          <prefix>instance:<incarnation>  hash, connection → JSON [document, tenant/person]
-- Returns  {'lost'} when the incarnation has no lease, and nothing is written; else {'ok', one of these for each
--          connection}: 'joined' the person was not in the document, 'left' nor is any more, 'superseded' its
--          client ids are spoken for by a newer connection of the person, '' nothing to tell

local prefix, me = ARGV[1], ARGV[2]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if not redis.call('ZSCORE', KEYS[1], me) then
  return { 'lost' }
end

local function remove(connection, document, person, incarnation)
  redis.call('HDEL', prefix .. 'document:' .. document, connection)
  redis.call('HDEL', prefix .. 'person:' .. person, connection)
  redis.call('HDEL', prefix .. 'instance:' .. incarnation, connection)
end

local function overlap(a, b)
  for _, x in ipairs(a) do
    for _, y in ipairs(b) do
      if x == y then
        return true
      end
    end
  end
  return false
end

-- The person's connections to the document that are entered, without `connection` itself.
local function others(op)
  local found = {}
  local all = redis.call('HGETALL', prefix .. 'person:' .. op.u)
  for i = 1, #all, 2 do
    if all[i + 1] == op.d and all[i] ~= op.c then
      found[#found + 1] = all[i]
    end
  end
  return found
end

-- By Redis' clock, since those of two instances may differ by hours; that of one is exact.
local function isNewer(other, entry, opened)
  if other.instance == entry.instance or not other.opened then
    return other.since > entry.since
  end
  return other.opened > opened
end

local function announce(op)
  local entry = cjson.decode(op.e)
  local opened = now - op.a
  local documentKey = prefix .. 'document:' .. op.d
  local present = redis.call('HEXISTS', documentKey, op.c) == 1
  for _, connection in ipairs(others(op)) do
    present = true
    local raw = redis.call('HGET', documentKey, connection)
    local other = raw and cjson.decode(raw)
    if other and overlap(entry.clientIds, other.clientIds) then
      if isNewer(other, entry, opened) then
        return 'superseded'
      end
      remove(connection, op.d, op.u, other.incarnation)
    end
  end
  -- As text: encoded anew, empty arrays would become objects.
  redis.call('HSET', documentKey, op.c, string.format('{"opened":%d,', opened) .. string.sub(op.e, 2))
  redis.call('HSET', prefix .. 'person:' .. op.u, op.c, op.d)
  redis.call('HSET', prefix .. 'instance:' .. me, op.c, cjson.encode({ op.d, op.u }))
  return present and '' or 'joined'
end

local function leave(op)
  local raw = redis.call('HGET', prefix .. 'document:' .. op.d, op.c)
  if not raw or cjson.decode(raw).incarnation ~= me then
    return ''
  end
  remove(op.c, op.d, op.u, me)
  return #others(op) == 0 and 'left' or ''
end

local result = { 'ok' }
for i = 3, #ARGV do
  local op = cjson.decode(ARGV[i])
  result[#result + 1] = op.e and announce(op) or leave(op)
end
return result
