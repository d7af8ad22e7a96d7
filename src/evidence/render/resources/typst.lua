-- Writes the whole book as one Typst document.
local common = require 'common'
local stringify = common.stringify

local paper = {}

local function raw(text) return pandoc.RawBlock('typst', text) end
local function raw_inline(text) return pandoc.RawInline('typst', text) end

local function quoted(text)
  return '"' .. text:gsub('\\', '\\\\'):gsub('"', '\\"'):gsub('%s+', ' ') .. '"'
end

local function typst(blocks)
  local text = pandoc.write(pandoc.Pandoc(blocks), 'typst-citations', pandoc.WriterOptions { wrap_text = 'none' })
  return (text:gsub('%s+$', ''))
end

local function content(inlines)
  return #inlines == 0 and 'none' or '[' .. typst { pandoc.Plain(inlines) } .. ']'
end

-- Anchors other than labels are unique in a chapter only.
local function anchor(scan, chapter, id)
  return scan.index[id] and id or chapter.key .. '-' .. id
end

----- Table widths, in points ---------------------------------------------------------------------------------

local PORTRAIT, LANDSCAPE, MEASURE = 504, 746, 374 -- text widths of the page and of prose
local SIZES = { 8.5, 8, 7.5, 7 }
local GUTTER = 10                -- space between two columns
local TALL = 560                 -- a table taller than this may break across pages
local NUMBER = 18              -- ems that an aligned cell may take without wrapping
local WORDY = 8                  -- a column of words gets at least this many ems before type shrinks

local NARROW, WIDE = 'iljtfrI.,:;|!\'()[]-/ ', 'mwMWQO%@'

-- The width of a text in ems, near enough for sharing out a line.
local function ems(text)
  local width = 0
  for _, code in utf8.codes(text) do
    local char = utf8.char(code)
    if NARROW:find(char, 1, true) then width = width + 0.36
    elseif WIDE:find(char, 1, true) then width = width + 0.86
    elseif char:match('%u') then width = width + 0.66
    else width = width + 0.58 end
  end
  return width
end

local function longest_token(text)
  local longest = 0
  for token in text:gmatch('[^%s]+') do longest = math.max(longest, ems(token)) end
  return longest
end

local function column_need(column, cell, header)
  local text = stringify(cell.contents)
  local whole, token = ems(text), longest_token(text)
  local bold = header and 1.06 or 1
  column.token = math.max(column.token, token * bold)
  if header then
    column.natural = math.max(column.natural, math.min(whole * bold, 9))
  else
    column.natural = math.max(column.natural, whole)
    if column.aligned and whole < NUMBER then column.token = math.max(column.token, whole) end
  end
end

local function measure_columns(tbl, rows)
  local columns = {}
  for index, spec in ipairs(tbl.colspecs) do
    local aligned = spec[1] == 'AlignRight' or spec[1] == 'AlignCenter'
    columns[index] = { token = 0, natural = 0, aligned = aligned, share = spec[2] }
  end
  for _, row in ipairs(tbl.head.rows) do
    for index, cell in ipairs(row.cells) do column_need(columns[index], cell, true) end
  end
  for _, row in ipairs(rows) do
    if not common.is_group_row(row) then
      for index, cell in ipairs(row.cells) do column_need(columns[index], cell, false) end
    end
  end
  for _, column in ipairs(columns) do
    local words = math.min(column.natural, math.max(WORDY, 2.4 * math.sqrt(column.natural)))
    column.least = math.max(column.token, column.aligned and 0 or words) + 0.1
    column.natural = math.max(column.natural, column.least)
  end
  return columns
end

local function total(columns, name)
  local sum = 0
  for _, column in ipairs(columns) do sum = sum + column[name] end
  return sum
end

-- The largest type at which every column has what it needs; turned only where upright is too narrow.
local function choose_size(columns)
  local gutters = GUTTER * (#columns - 1)
  for _, page in ipairs { PORTRAIT, LANDSCAPE } do
    for _, size in ipairs(SIZES) do
      if total(columns, 'least') * size + gutters <= page then return size, page end
    end
  end
  return SIZES[#SIZES], LANDSCAPE
end

local function author_shares(columns)
  local first = columns[1].share
  for _, column in ipairs(columns) do
    if first and column.share and math.abs(column.share - first) > 0.005 then return true end
  end
  return false
end

-- Share out the line: what each column needs, then the rest by the author's widths, or by what would like to grow.
local function column_widths(columns, size, page)
  local gutters = GUTTER * (#columns - 1)
  local natural = total(columns, 'natural') * size + gutters
  local line = (natural <= MEASURE and MEASURE or page) - gutters
  local least = total(columns, 'least') * size
  local spare, by_author = line - least, author_shares(columns)
  local function wish(column)
    if by_author then return column.share end
    return natural <= line and column.natural or math.max(column.natural - column.least, 0.01)
  end
  local wishes, widths = 0, {}
  for _, column in ipairs(columns) do wishes = wishes + wish(column) end
  for index, column in ipairs(columns) do
    local share = spare >= 0 and column.least * size + spare * wish(column) / wishes
      or column.least * line / total(columns, 'least')
    widths[index] = share + ((index == 1 or index == #columns) and GUTTER / 2 or GUTTER)
  end
  return widths, natural <= MEASURE
end

local function table_height(rows, widths, size)
  local height = 0
  for _, row in ipairs(rows) do
    local lines = 1
    for index, cell in ipairs(row.cells) do
      local room = math.max((widths[index] or 40) - GUTTER, 10)
      lines = math.max(lines, math.ceil(ems(stringify(cell.contents)) * size / room))
    end
    height = height + lines * size * 1.3 + 6
  end
  return height
end

----- Tables -----------------------------------------------------------------------------------------------------

local SEPARATOR = '%%%cell%%%'
local ALIGN = { AlignLeft = 'left', AlignRight = 'right', AlignCenter = 'center', AlignDefault = 'left' }

-- All cells of some rows as Typst text, with one call of the writer.
local function cell_texts(rows)
  local blocks, texts = pandoc.Blocks {}, {}
  for _, row in ipairs(rows) do
    for _, cell in ipairs(row.cells) do
      blocks:extend(cell.contents)
      blocks:insert(raw(SEPARATOR))
    end
  end
  for text in typst(blocks):gmatch('(.-)%%%%%%cell%%%%%%') do
    texts[#texts + 1] = text:match('^%s*(.-)%s*$')
  end
  return texts
end

local function row_text(texts, position, count)
  local cells = {}
  for index = 1, count do cells[index] = '[' .. (texts[position + index] or '') .. ']' end
  return table.concat(cells, ', ')
end

local function rows_text(rows, columns)
  local texts, position, out = cell_texts(rows), 0, {}
  for _, row in ipairs(rows) do
    if common.is_group_row(row) then
      out[#out + 1] = '  evidence-group(' .. columns .. ')[' .. texts[position + 1] .. '],'
    else
      out[#out + 1] = '  ' .. row_text(texts, position, #row.cells) .. ','
    end
    position = position + #row.cells
  end
  return table.concat(out, '\n')
end

local function points(widths)
  local out = {}
  for index, width in ipairs(widths) do out[index] = string.format('%.1fpt', width) end
  return '(' .. table.concat(out, ', ') .. ',)'
end

local function alignments(specs)
  local out = {}
  for index, spec in ipairs(specs) do out[index] = ALIGN[spec[1]] or 'left' end
  return '(' .. table.concat(out, ', ') .. ',)'
end

local function table_blocks(tbl)
  local rows = {}
  for _, body in ipairs(tbl.bodies) do
    for _, row in ipairs(body.body) do rows[#rows + 1] = row end
  end
  local columns = measure_columns(tbl, rows)
  local size, page = choose_size(columns)
  local widths, narrow = column_widths(columns, size, page)
  local heads = cell_texts(tbl.head.rows)
  local header = #tbl.head.rows > 0 and '(' .. row_text(heads, 0, #tbl.colspecs) .. ',)' or '()'
  local text = '#evidence-table(columns: ' .. points(widths) .. ', align: ' .. alignments(tbl.colspecs)
    .. ', size: ' .. size .. 'pt, header: ' .. header .. ',\n' .. rows_text(rows, #tbl.colspecs) .. '\n)'
  local attributes = { turned = tostring(page == LANDSCAPE), narrow = tostring(narrow),
    tall = tostring(table_height(rows, widths, size) > TALL) }
  return pandoc.Div({ raw(text) }, pandoc.Attr('', { 'sized' }, attributes))
end

----- Blocks ------------------------------------------------------------------------------------------------------

local function wide(blocks) return pandoc.Div(blocks, pandoc.Attr('', { 'wide' })) end

local function float(div)
  local caption, body = common.float_parts(div)
  local above, note = common.split_note(caption)
  local headline, rest = common.split_headline(above)
  local is, blocks = { turned = false, tall = false, narrow = false }, pandoc.Blocks {}
  for _, block in ipairs(body) do
    if block.t == 'Div' and block.classes:includes('sized') then
      for name in pairs(is) do is[name] = block.attributes[name] == 'true' end
      blocks:extend(block.content)
    else
      blocks:insert(block)
    end
  end
  local number = div.attributes.number
  local call = '#evidence-float(kind: "' .. div.attributes.kind .. '", number: ' .. (number and quoted(number) or 'none')
    .. ', id: ' .. (div.identifier ~= '' and quoted(div.identifier) or 'none') .. ', turned: ' .. tostring(is.turned)
    .. ', tall: ' .. tostring(is.tall) .. ', narrow: ' .. tostring(is.narrow) .. ',\n  caption: ' .. content(headline) .. ',\n  rest: ' .. content(rest) .. ',\n  note: ' .. content(note) .. ',\n)['
  local out = pandoc.Blocks { raw(call) }
  out:extend(blocks)
  out:insert(raw(']'))
  return wide(out)
end

local function callout(div)
  local class, title, blocks = common.callout(div)
  if not class then return nil end
  local out = pandoc.Blocks { raw('#evidence-callout("' .. class:sub(9) .. '", ' .. content(title) .. ')[') }
  out:extend(blocks)
  out:insert(raw(']'))
  return wide(out)
end

local function heading(scan, chapter, element)
  local number = element.attributes.number
  return wide { raw('#evidence-heading(' .. element.level .. ', ' .. (number and quoted(number) or 'none') .. ', '
    .. quoted(anchor(scan, chapter, element.identifier)) .. ')' .. content(element.content)) }
end

local function division(div)
  if not common.visible(div, 'typst') then return {} end
  if div.classes:includes('float') and div.attributes.kind then return float(div) end
  for _, kept in ipairs { 'sized', 'wide', 'float-caption', 'heading-of-callout' } do
    if div.classes:includes(kept) then return nil end
  end
  return callout(div) or div.content
end

----- Inlines -----------------------------------------------------------------------------------------------------

local UNITS = { ['%'] = '%', ['in'] = 'in', cm = 'cm', mm = 'mm', pt = 'pt', em = 'em' }

local function width_of(element)
  local number, unit = (element.attributes.width or ''):match('^([%d.]+)([%a%%]*)$')
  if not number then return 'auto' end
  if UNITS[unit] then return number .. unit end
  return tonumber(number) * 0.75 .. 'pt'
end

local function image(chapter, element)
  local alt = element.attributes['fig-alt'] or stringify(element.caption)
  local path = '/' .. common.join(chapter.folder, common.unquote(element.src))
  local name = element.classes:includes('float-image') and 'evidence-image' or 'evidence-inline-image'
  return raw_inline('#' .. name .. '(' .. quoted(path) .. ', ' .. quoted(alt) .. ', ' .. width_of(element) .. ');')
end

local function linked(target, inlines)
  local out = pandoc.Inlines { raw_inline('#link(' .. target .. ')[') }
  out:extend(inlines)
  out:insert(raw_inline('];'))
  return out
end

local function link(scan, chapter, element)
  local to, id, file = element.attributes['to-chapter'], element.attributes['to-anchor'], element.attributes['to-file']
  if file then return element.content end
  if to then
    local target = scan.by_file[to]
    return linked('label(' .. quoted(id == target.id and id or anchor(scan, target, id)) .. ')', element.content)
  end
  if element.target:sub(1, 1) == '#' then
    return linked('label(' .. quoted(element.target:sub(2)) .. ')', element.content)
  end
  return linked(quoted(element.target), element.content)
end

local function math(element)
  return raw_inline('#evidence-math(' .. quoted(element.text) .. ', ' .. typst { pandoc.Plain { element } } .. ');')
end

local function span(scan, chapter, element)
  if element.classes:includes('note') then return nil end
  local number = element.attributes.number
  if number then
    local out = pandoc.Inlines { raw_inline('#evidence-equation(' .. quoted(number) .. ', ' .. quoted(element.identifier) .. ')[') }
    out:extend(element.content)
    out:insert(raw_inline('];'))
    return out
  elseif element.identifier ~= '' then
    element.content:insert(1, raw_inline('#evidence-anchor(' .. quoted(anchor(scan, chapter, element.identifier)) .. ');'))
  end
  return element.content
end

----- The document ------------------------------------------------------------------------------------------------

local function mark_float_images(blocks)
  return blocks:walk { Div = function(div)
    if not div.attributes.kind then return nil end
    return div:walk { Plain = function(plain)
      if #plain.content == 1 and plain.content[1].t == 'Image' then
        local element = plain.content[1]
        element.classes:insert('float-image')
        return pandoc.Plain { element }
      end
    end }
  end }
end

local function transform(scan, chapter, blocks)
  return mark_float_images(blocks):walk {
    Math = math,
    Image = function(element) return image(chapter, element) end,
    Link = function(element) return link(scan, chapter, element) end,
    Span = function(element) return span(scan, chapter, element) end,
    Cite = function(cite) return cite.content end,
    Header = function(element) return heading(scan, chapter, element) end,
    CodeBlock = function(block) if block.classes:includes('cell-code') then return {} end end,
    Table = table_blocks,
    Div = division,
  }
end

-- Prose is set to a comfortable measure; headings, figures and tables have the whole width.
local function measured(blocks)
  local out, run = pandoc.Blocks {}, pandoc.Blocks {}
  local function flush()
    if #run > 0 then
      out:insert(raw('#evidence-prose['))
      out:extend(run)
      out:insert(raw(']'))
      run = pandoc.Blocks {}
    end
  end
  for _, block in ipairs(blocks) do
    if block.t == 'Div' and block.classes:includes('wide') then
      flush()
      out:extend(block.content)
    elseif not (block.t == 'RawBlock' and block.format ~= 'typst') then
      run:insert(block)
    end
  end
  flush()
  return out
end

local function optional(value) return value and value ~= '' and quoted(value) or 'none' end

local function chapter_opening(scan, chapter)
  local title = chapter.inlines:walk { Note = function() return {} end }
  local part = chapter.part
  if part == '' and chapter.appendix then part = 'Appendices' end
  return '#evidence-chapter(number: ' .. optional(chapter.number) .. ', part: ' .. optional(part) .. ', id: '
    .. quoted(chapter.id) .. ')' .. content(transform(scan, chapter, pandoc.Blocks { pandoc.Plain(title) })[1].content)
end

local function references(literature)
  local out = { '#evidence-chapter(number: none, part: none, id: "references")[References]' }
  for _, entry in ipairs(literature) do
    local blocks = transform({ index = {} }, { key = 'references', folder = '' }, entry.content)
    out[#out + 1] = '#evidence-reference(' .. quoted(entry.identifier) .. ')[' .. typst(blocks) .. ']'
  end
  return table.concat(out, '\n')
end

function paper.write(scan, docs, literature)
  local out = { '#import "/evidence-book.typ": *', '#show: evidence-book.with(json("/evidence-book.json"))' }
  for position, chapter in ipairs(scan.manifest.chapters) do
    out[#out + 1] = chapter_opening(scan, chapter)
    out[#out + 1] = typst(measured(transform(scan, chapter, docs[position].blocks)))
  end
  if #literature > 0 then out[#out + 1] = references(literature) end
  common.write(scan.manifest.out, table.concat(out, '\n\n') .. '\n')
end

return paper
