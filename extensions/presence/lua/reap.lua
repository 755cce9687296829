-- Removes what an instance whose lease has ended has left behind, some connections at a time. Whoever is first
-- removes an entry; the others do not find it.
--
-- KEYS[1]  leases: sorted set, incarnation → milliseconds of Redis' clock at which its lease ends
-- KEYS[2]  reaped: sorted set, incarnation → milliseconds at which it was reaped
-- KEYS[3]  quiet: exists while nobody may be reaped
-- ARGV[1]  key prefix
-- ARGV[2]  the incarnation that reaps
-- ARGV[3]  connections to look at, about
-- ARGV[4]  channel on which every instance is told: JSON {by: the incarnation that reaps, entries: the removed ones,
--          each as JSON text}
-- Fails    while Redis takes no writes
-- Returns  {'none'} nobody is dead, or it may not be said now
--          {'reaped', 1 when there may be more or else 0, the entry of each person who has left, …}

local prefix, me = ARGV[1], ARGV[2]
-- Changes nothing, and fails where Redis has no memory left: nobody can renew a lease then, however alive.
redis.call('ZADD', KEYS[2], 'XX', 0, '')
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local mine = redis.call('ZSCORE', KEYS[1], me)
if not mine or tonumber(mine) < now or redis.call('EXISTS', KEYS[3]) == 1 then
  return { 'none' }
end
local dead = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', '(' .. now, 'LIMIT', 0, 1)[1]
if not dead then
  return { 'none' }
end

local function elsewhere(person, document)
  for _, other in ipairs(redis.call('HVALS', prefix .. 'person:' .. person)) do
    if other == document then
      return true
    end
  end
  return false
end

local result = { 'reaped', 1 }
local removed = {}
local instanceKey = prefix .. 'instance:' .. dead
local found = redis.call('HSCAN', instanceKey, '0', 'COUNT', ARGV[3])[2]
for i = 1, #found, 2 do
  local connection = found[i]
  local place = cjson.decode(found[i + 1])
  local document, person = place[1], place[2]
  local documentKey = prefix .. 'document:' .. document
  local raw = redis.call('HGET', documentKey, connection)
  -- It may belong to a later incarnation of the same instance by now.
  if raw and cjson.decode(raw).incarnation == dead then
    redis.call('HDEL', documentKey, connection)
    redis.call('HDEL', prefix .. 'person:' .. person, connection)
    removed[#removed + 1] = raw
    if not elsewhere(person, document) then
      result[#result + 1] = raw
    end
  end
  redis.call('HDEL', instanceKey, connection)
end

if redis.call('HLEN', instanceKey) == 0 then
  redis.call('ZREM', KEYS[1], dead)
  redis.call('ZADD', KEYS[2], now, dead)
  local more = redis.call('ZCOUNT', KEYS[1], '-inf', '(' .. now)
  result[2] = more > 0 and 1 or 0
end
if #removed > 0 then
  redis.call('PUBLISH', ARGV[4], cjson.encode({ by = me, entries = removed }))
end
return result
