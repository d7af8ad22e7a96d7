-- Small helpers that every step shares.
local common = {}

common.stringify = pandoc.utils.stringify

function common.dirname(path)
  return path:match('^(.*)/[^/]*$') or ''
end

-- Join a folder and a relative path; '..' and '.' are resolved.
function common.join(folder, path)
  if path:sub(1, 1) == '/' then folder, path = '', path:sub(2) end
  local parts = {}
  for part in (folder .. '/' .. path):gmatch('[^/]+') do
    if part == '..' and #parts > 0 then table.remove(parts)
    elseif part ~= '.' then parts[#parts + 1] = part end
  end
  return table.concat(parts, '/')
end

-- The path that leads from a folder to a file, both relative to the same root.
function common.relative(folder, target)
  local up = folder == '' and '' or folder:gsub('[^/]+', '..') .. '/'
  local shared = folder .. '/'
  if folder ~= '' and target:sub(1, #shared) == shared then return target:sub(#shared + 1) end
  return up .. target
end

function common.unquote(url)
  return (url:gsub('%%(%x%x)', function(hex) return string.char(tonumber(hex, 16)) end))
end

function common.exists(path)
  local file = io.open(path, 'rb')
  if file then file:close() end
  return file ~= nil
end

function common.read(path)
  local file = assert(io.open(path, 'rb'))
  local text = file:read('a')
  file:close()
  return text
end

function common.write(path, text)
  local file = assert(io.open(path, 'wb'))
  file:write(text)
  file:close()
end

function common.escape(text)
  return (text:gsub('[&<>"]', { ['&'] = '&amp;', ['<'] = '&lt;', ['>'] = '&gt;', ['"'] = '&quot;' }))
end

-- The kind of a label: 'fig' of 'fig-response'; nil for anything that is no cross-reference.
function common.kind(label)
  local kind = label:lower():match('^(%a+)%-')
  return (kind == 'fig' or kind == 'tbl' or kind == 'sec' or kind == 'eq') and kind or nil
end

function common.is_marker(block)
  return block.t == 'RawBlock' and block.format == 'cell'
end

-- Split a caption into what stands above and the note ('[...]{.note}') that stands below.
function common.split_note(inlines)
  local caption, note = pandoc.Inlines {}, pandoc.Inlines {}
  for _, inline in ipairs(inlines) do
    if inline.t == 'Span' and inline.classes:includes('note') then
      if #note > 0 then note:insert(pandoc.Space()) end
      note:extend(inline.content)
    else
      caption:insert(inline)
    end
  end
  while #caption > 0 and (caption[#caption].t == 'Space' or caption[#caption].t == 'SoftBreak') do
    caption:remove()
  end
  return caption, note
end

-- What a part belongs to that is one of several: 'Fruit' of 'Fruit: red'; else the part itself.
function common.whole_part(part)
  return part:match('^(.-): ') or part
end

local ABBREVIATION = { ['vs.'] = true, ['e.g.'] = true, ['i.e.'] = true, ['No.'] = true, ['al.'] = true, ['cf.'] = true }

-- Split a caption after its first sentence, which is set as the headline of the figure or table.
function common.split_headline(inlines)
  for index = 1, #inlines - 2 do
    local here, gap, after = inlines[index], inlines[index + 1], inlines[index + 2]
    local ends = here.t == 'Str' and here.text:match('[.?!]$') and not ABBREVIATION[here.text]
    local space = gap.t == 'Space' or gap.t == 'SoftBreak'
    if ends and space and (after.t ~= 'Str' or not after.text:match('^%l')) then
      local headline, rest = pandoc.Inlines {}, pandoc.Inlines {}
      for position, inline in ipairs(inlines) do
        if position <= index then headline:insert(inline) elseif position > index + 1 then rest:insert(inline) end
      end
      return headline, rest
    end
  end
  return inlines, pandoc.Inlines {}
end

-- A float's parts: its caption as inlines and the blocks it shows.
function common.float_parts(float)
  local caption, body = pandoc.Inlines {}, pandoc.Blocks {}
  for _, block in ipairs(float.content) do
    if block.t == 'Div' and block.classes:includes('float-caption') then
      caption = pandoc.utils.blocks_to_inlines(block.content)
    else
      body:insert(block)
    end
  end
  return caption, body
end

common.callouts = {
  ['callout-note'] = 'Note', ['callout-tip'] = 'Tip', ['callout-warning'] = 'Warning',
  ['callout-important'] = 'Important', ['callout-caution'] = 'Caution',
}

function common.callout_class(div)
  for _, class in ipairs(div.classes) do
    if common.callouts[class] then return class end
  end
end

-- A callout's class, title and content; nil where the division is no callout.
function common.callout(div)
  local class = common.callout_class(div)
  if not class then return nil end
  local content = div.content:clone()
  local title = pandoc.utils.blocks_to_inlines(content:remove(1).content)
  if #title == 0 then title = pandoc.Inlines { pandoc.Str(common.callouts[class]) } end
  return class, title, content
end

-- Does this division of conditional content show in a format? True for every other division.
function common.visible(div, format)
  local wanted, unwanted = div.attributes['when-format'], div.attributes['unless-format']
  local matches = (wanted == nil or wanted == format) and (unwanted == nil or unwanted ~= format)
  if div.classes:includes('content-visible') then return matches end
  if div.classes:includes('content-hidden') then return not matches end
  return true
end

-- Does a text read as a number with what belongs to it, rather than as words? Such a text is not broken.
function common.is_figure(text)
  local _, letters = text:gsub('%a', '')
  return text:find('%d') ~= nil and letters * 2 < #text
end

-- Rows that only carry a heading for the rows below: the first cell has text, all others none.
function common.is_group_row(row)
  if #row.cells < 2 or common.stringify(row.cells[1].contents) == '' then return false end
  for index = 2, #row.cells do
    if #row.cells[index].contents > 0 and common.stringify(row.cells[index].contents) ~= '' then return false end
  end
  return true
end

return common
