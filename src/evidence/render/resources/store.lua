-- Entries below the build's cache, each under a hash of all that it was made from and with a hash of what it says.
local common = require 'common'

local store = { used = {} }

local function place(kind, key) return store.folder .. '/' .. key:sub(1, 2) .. '/' .. key .. '.' .. kind end

-- What is kept under a key; nil where nothing is, or where it is not what was put there.
function store.get(kind, key)
  if not store.folder then return nil end
  local file = io.open(place(kind, key), 'rb')
  if not file then return nil end
  local text = file:read('a')
  file:close()
  local content = text:sub(42)
  if text:sub(1, 41) ~= pandoc.utils.sha1(content) .. '\n' then return nil end
  store.used[#store.used + 1] = key .. '.' .. kind
  return content
end

function store.put(kind, key, content)
  if not store.folder then return end
  local target = place(kind, key)
  pandoc.system.make_directory(common.dirname(target), true)
  local draft = target .. '.' .. store.token
  common.write(draft, pandoc.utils.sha1(content) .. '\n' .. content)
  os.rename(draft, target)
  store.used[#store.used + 1] = key .. '.' .. kind
end

return store
