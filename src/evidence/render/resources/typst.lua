-- Writes the whole book as one Typst document.
local common = require 'common'
local plain = require 'plain'
local rows = require 'rows'
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
  if #inlines == 0 then return 'none' end
  return '[' .. (plain.inlines(inlines, 'typst') or typst { pandoc.Plain(inlines) }) .. ']'
end

-- Anchors other than labels are unique in a chapter only.
local function anchor(scan, chapter, id)
  return scan.index[id] and id or chapter.key .. '-' .. id
end

----- Table widths, in points ---------------------------------------------------------------------------------

local PORTRAIT, LANDSCAPE, MEASURE = 504, 746, 374 -- text widths of the page and of prose
local DEPTH = { [PORTRAIT] = 690, [LANDSCAPE] = 440 } -- heights of the page that a table can fill
local GUTTER = 10                -- space between two columns
local TALL = 200                 -- a table taller than this may break across pages
local FILLING = 0.85             -- share of the page from which a table that needs no more is made to fill it
local UNBROKEN = 15.5            -- ems that a figure may take without being broken
local SURE = 1.01                -- letters may be a little wider than is known of them
local INTERVAL = 9               -- ems of the longest interval of mere numbers: these are kept before those with words
local HEADER = 9                 -- ems that a header asks for
local LINES = 6                  -- a row of more lines than this is hard to read across
local WHOLE = 16                 -- a row of more lines than this may break over the page
local LOW = 200                  -- a table lower than this is not worth a turned page, whatever its rows
local CLOSING = 1000             -- characters that may end a chapter in one piece, rather than alone over the page

-- Widths of the book's letters, in hundredths of an em; others are near enough to a digit.
local WIDTHS, OTHER = {}, 60
local CIRCLE, ROUND = '\226\151', 90 -- how the signs ● and ○ begin, which are wider
for width, letters in pairs {
  [24] = " '", [25] = 'ij', [27] = ',.l', [29] = '!:;|', [33] = '[]f(){}', [36] = 'tr', [39] = '/\\-I"', [46] = '*z', [49] = '?svLcy',
  [52] = 'Jxagk', [57] = 'eF_oThnuESZbdpq', [62] = 'PVXCYK', [65] = 'ARB', [68] = 'DU', [71] = '&GHNOQ', [77] = 'w', [84] = 'M', [88] = 'm@W',
  [93] = '%',
} do
  for letter in letters:gmatch('.') do WIDTHS[letter:byte()] = width end
end

-- The width of a text in ems, near enough for sharing out a line.
local function ems(text)
  local width = 0
  for position = 1, #text do
    local byte = text:byte(position)
    if byte < 128 then width = width + (WIDTHS[byte] or OTHER) elseif byte >= 192 then width = width + (text:sub(position, position + 1) == CIRCLE and ROUND or OTHER) end
  end
  return width / 100
end

local function longest_token(text)
  local longest = 0
  for token in text:gmatch('[^%s]+') do longest = math.max(longest, ems(token)) end
  return longest
end

-- Is a text a figure with something in brackets, as an estimate and its interval?
local function has_bracket(text)
  return (common.is_figure(text) or text:find('^[%d,.]+ %a+ %(%d')) and text:find(' %(') ~= nil
end

-- The longest piece of a figure that breaks before its brackets alone: a bracket with the marks that follow it.
local function longest_piece(text, limit)
  local longest = 0
  for bracket, marks in text:gmatch(' (%b())([^%s]*)') do
    local width = SURE * ems(bracket .. marks)
    if width < limit then longest = math.max(longest, width) end
  end
  return longest
end

-- What a cell asks of its column: its longest word, all of it on one line, and a figure in one piece.
local function ask(column, text, header)
  local whole, token = ems(text), longest_token(text)
  if header then
    column.token = math.max(column.token, token * 1.06)
    column.natural = math.max(column.natural, math.min(whole * 1.06, HEADER))
    return whole * 1.06
  end
  column.token = math.max(column.token, token)
  column.natural = math.max(column.natural, whole)
  if whole < UNBROKEN and common.is_figure(text) then
    local before = text:match('^(.-) %(')
    column.figure = math.max(column.figure, whole)
    column.piece = math.max(column.piece, ems(before or text))
  end
  if has_bracket(text) then
    column.piece = math.max(column.piece, longest_piece(text, UNBROKEN))
    column.short = math.max(column.short, longest_piece(text, INTERVAL))
  end
  return whole
end

-- The columns' needs, and for every row the length of each of its cells.
local function measure_columns(tbl, body)
  local columns, lengths = {}, {}
  for index, spec in ipairs(tbl.colspecs) do
    columns[index] = { token = 0, natural = 0, figure = 0, piece = 0, short = 0, share = spec[2] or 1 / #tbl.colspecs }
  end
  for _, row in ipairs(tbl.head.rows) do
    local cells = {}
    for index, cell in ipairs(row.cells) do cells[index] = ask(columns[index], stringify(cell.contents), true) end
    lengths[#lengths + 1] = cells
  end
  for _, row in ipairs(body) do
    local cells = {}
    for index, cell in ipairs(row.group and {} or row) do cells[index] = ask(columns[index], cell.plain, false) end
    lengths[#lengths + 1] = cells
  end
  for _, column in ipairs(columns) do column.natural = math.max(column.natural, column.token) + 0.1 end
  return columns, lengths
end

local function total(columns, name)
  local sum = 0
  for _, column in ipairs(columns) do sum = sum + column[name] end
  return sum
end

-- How narrow a column may be: figures in one piece, broken before their brackets, the short brackets alone in one
-- piece, or no more than words.
local function whole(column) return math.max(column.token, column.figure, column.piece, math.min(column.natural, 5)) end
local function broken(column) return math.max(column.token, column.piece, math.min(column.natural, 5)) end
local function cracked(column) return math.max(column.token, column.short, math.min(column.natural, 5)) end
local function shattered(column) return math.max(column.token, math.min(column.natural, 5)) end

-- Pour what is left of the line into the columns by weight; a column that has all it wants takes no more.
local function pour(columns, widths, spare, weight, limit)
  for _ = 1, #columns do
    local open, weights = {}, 0
    for index, column in ipairs(columns) do
      if widths[index] < limit(column) - 0.01 then
        open[#open + 1] = index
        weights = weights + weight(column)
      end
    end
    if #open == 0 or spare < 0.01 then break end
    local poured = 0
    for _, index in ipairs(open) do
      local more = math.min(spare * weight(columns[index]) / weights, limit(columns[index]) - widths[index])
      widths[index] = widths[index] + more
      poured = poured + more
    end
    spare = spare - poured
  end
  return spare
end

-- What a column would like beyond its least, softened so that one long text does not take everything.
local function wish(column)
  return math.max(column.natural - column.least, 0.01) ^ 0.75 * math.sqrt(column.share)
end

-- The lines that a text takes in a column; a broken line ends some way before the edge.
local function lines_in(length, width)
  if length <= width then return 1 end
  return math.ceil(length / math.max(width - 1.2, width * 0.8))
end

local STEPS, SAMPLE = 14, 32 -- pieces in which the spare width is dealt out, and rows that are asked who gets them
local EACH = 0.15            -- what a line less in a cell is worth where another cell keeps the row as high
local HIGH = 2.5             -- what a line less is worth in a row that is hard to read across
local LABEL = 1.2            -- what a line less in the first column is worth, against one in another

-- Some rows of a table, evenly taken.
local function sample(lengths)
  local rows, some = {}, {}
  for _, cells in ipairs(lengths) do
    if #cells > 0 then rows[#rows + 1] = cells end
  end
  for index = 1, math.min(SAMPLE, #rows) do some[index] = rows[math.ceil(index * #rows / math.min(SAMPLE, #rows))] end
  return some
end

-- What a wider column saves: lines of rows, and a little for the lines of its own cells alone.
local function saved(rows, index, width)
  local gain = 0
  for _, row in ipairs(rows) do
    local now = row[index]
    if now and now.lines > 1 then
      local after = lines_in(now.length, width)
      if after < now.lines then
        local others = now.lines < row.most and row.most or 1
        for other, cell in pairs(row) do
          if others >= now.lines then break end
          if other ~= index and other ~= 'most' and cell.lines > others then others = cell.lines end
        end
        local lower = row.most - math.max(others, after)
        gain = gain + lower * (row.most > LINES and HIGH or 1) + EACH * (now.lines - after)
      end
    end
  end
  return index == 1 and gain * LABEL or gain
end

local function fill_rows(lengths, widths)
  local rows = {}
  for position, cells in ipairs(lengths) do
    local row = { most = 1 }
    for index, length in ipairs(cells) do
      row[index] = { length = length, lines = lines_in(length, widths[index]) }
      row.most = math.max(row.most, row[index].lines)
    end
    rows[position] = row
  end
  return rows
end

local function widen(rows, widths, index, width)
  widths[index] = width
  for _, row in ipairs(rows) do
    if row[index] then
      row[index].lines = lines_in(row[index].length, width)
      row.most = 1
      for other, cell in pairs(row) do
        if other ~= 'most' then row.most = math.max(row.most, cell.lines) end
      end
    end
  end
end

-- Deal out the spare width, each piece to the column where it makes the table lowest; return what nobody has use for.
local function deal(columns, lengths, widths, spare)
  local rows, step = fill_rows(sample(lengths), widths), math.max(spare / STEPS, 0.4)
  while spare > 0.1 do
    local best, chosen, taken = 0, nil, nil
    for index, column in ipairs(columns) do
      local room = math.min(column.natural - widths[index], spare)
      for _, piece in ipairs { step, 3 * step, room } do
        local more = math.min(piece, room)
        local gain = more > 0.05 and saved(rows, index, widths[index] + more) / more or 0
        if gain > best then best, chosen, taken = gain, index, more end
      end
    end
    if not chosen then break end
    widen(rows, widths, chosen, widths[chosen] + taken)
    spare = spare - taken
  end
  return spare
end

-- Share out the line, in ems: what each column needs, then where it saves most, then the rest.
local function column_widths(columns, lengths, size, page)
  local gutters = GUTTER * (#columns - 1)
  local natural = total(columns, 'natural') * size + gutters
  local narrow, roomy = natural <= MEASURE, natural <= page
  local wanted = narrow and MEASURE or roomy and natural < FILLING * page and natural or page
  local line = (wanted - gutters) / size
  local name = roomy and 'natural' or 'least'
  local widths, shrink = {}, math.min(1, line / total(columns, name))
  for index, column in ipairs(columns) do widths[index] = column[name] * shrink end
  local spare = line - total(columns, name) * shrink
  if not roomy then
    spare = deal(columns, lengths, widths, spare)
    spare = pour(columns, widths, spare, wish, function(column) return column.natural end)
  end
  pour(columns, widths, spare, function(column) return column.natural end, function() return math.huge end)
  for index in ipairs(columns) do
    widths[index] = widths[index] * size + ((index == 1 or index == #columns) and GUTTER / 2 or GUTTER)
  end
  return widths, wanted < page and wanted
end

local function table_height(lengths, widths, size, pad)
  local height, most, count = 0, 1, 0
  for _, cells in ipairs(lengths) do
    local lines = 1
    for index, length in ipairs(cells) do
      local edge = (index == 1 or index == #widths) and GUTTER / 2 or GUTTER
      lines = math.max(lines, lines_in(length, math.max((widths[index] or 40) - edge, 10) / size + 0.05))
    end
    most, count = math.max(most, lines), count + lines
    height = height + lines * size * 1.3 + pad
  end
  return height, most, count
end

-- What is tried; smaller type and broken figures must save lines, and a table is turned only where upright is too narrow.
local SIZES = { 8.5, 8, 7.5 }
local DENSE_SIZES = { 8, 7.5 }
local SMALLER, LOSSES = 0.15, { 1, 1.3, 1.6, 2.2 }

local function try(columns, lengths, page, size, least_of, pad)
  for _, column in ipairs(columns) do column.least = least_of(column) + 0.1 end
  local least = total(columns, 'least') * size + GUTTER * (#columns - 1)
  local widths, narrow = column_widths(columns, lengths, size, page)
  local height, most, count = table_height(lengths, widths, size, pad)
  return { fits = least <= page, page = page, size = size, widths = widths, narrow = narrow, height = height, most = most,
    cost = count }
end

-- The best setting on a page of some width; one that fits comes before all that do not.
local function best_of(columns, lengths, page, sizes, pad)
  local best
  for rank, size in ipairs(sizes) do
    for loss, least_of in ipairs { whole, broken, cracked, shattered } do
      local setting = try(columns, lengths, page, size, least_of, pad)
      setting.cost = setting.cost * LOSSES[loss] * (1 + SMALLER * (rank - 1))
      local better = not best or setting.fits and not best.fits or setting.fits == best.fits and setting.cost < best.cost
      if better then best = setting end
      if setting.fits then break end
    end
    if best.fits and best.cost <= 1.1 * #lengths then break end
  end
  return best
end

-- Upright, unless that does not fit, or makes a long table hard to read that fills a good part of a turned page.
local function choose(columns, lengths, dense)
  local pad = dense and 4 or 6
  local upright = best_of(columns, lengths, PORTRAIT, dense and DENSE_SIZES or SIZES, pad)
  if upright.fits and (upright.most <= LINES or upright.height < LOW) then return upright end
  local turned = best_of(columns, lengths, LANDSCAPE, SIZES, pad)
  if not upright.fits and turned.fits then return turned end
  local full = turned.height > 0.6 * DEPTH[LANDSCAPE]
  return full and turned.height / DEPTH[LANDSCAPE] < 0.8 * upright.height / DEPTH[PORTRAIT] and turned or upright
end

----- Tables -----------------------------------------------------------------------------------------------------

local SEPARATOR = '%%%cell%%%'
local ALIGN = { AlignLeft = 'left', AlignRight = 'right', AlignCenter = 'center', AlignDefault = 'left' }

-- The inlines of a cell that is one line of text.
local function line_of(cell)
  local only = cell.contents[1]
  return #cell.contents == 0 and pandoc.Inlines {} or #cell.contents == 1 and only.t == 'Plain' and only.content or nil
end

-- All cells of some rows as Typst text, with at most one call of the writer.
local function cell_texts(rows)
  local blocks, texts, asked = pandoc.Blocks {}, {}, {}
  for _, row in ipairs(rows) do
    for _, cell in ipairs(row.cells) do
      local line = line_of(cell)
      local text = line and plain.inlines(line, 'typst')
      texts[#texts + 1] = text or ''
      if not text then
        asked[#asked + 1] = #texts
        blocks:extend(cell.contents)
        blocks:insert(raw(SEPARATOR))
      end
    end
  end
  if #asked == 0 then return texts end
  local position = 0
  for text in typst(blocks):gmatch('(.-)%%%%%%cell%%%%%%') do
    position = position + 1
    texts[asked[position]] = text:match('^%s*(.-)%s*$')
  end
  return texts
end

local function row_text(texts, position, count)
  local cells = {}
  for index = 1, count do cells[index] = '[' .. (texts[position + index] or '') .. ']' end
  return table.concat(cells, ', ')
end

-- The rows of a table that Pandoc has read, with the words and the Typst text of each cell, as kept rows have them.
local function own_rows(tbl)
  local found, all = {}, {}
  for _, body in ipairs(tbl.bodies) do
    for _, row in ipairs(body.body) do all[#all + 1] = row end
  end
  local texts, position = cell_texts(all), 0
  for _, row in ipairs(all) do
    local cells = { group = common.is_group_row(row) }
    for index, cell in ipairs(row.cells) do
      cells[index] = { kind = 'text', plain = stringify(cell.contents), set = texts[position + index] }
    end
    found[#found + 1] = cells
    position = position + #row.cells
  end
  return found
end

-- Brackets that must not break may do so here, before it is known what room their column has (see glued).
local function loosened(body)
  for _, row in ipairs(body) do
    for _, cell in ipairs(row) do
      if not cell.set:find('[#%[]') then
        cell.plain = cell.plain:gsub('%b()', function(bracket) return (bracket:gsub('\194\160', ' ')) end)
        cell.set = cell.set:gsub('%b()', function(bracket) return (bracket:gsub('~', ' ')) end)
      end
    end
  end
  return body
end

-- A figure that is broken keeps what stands in brackets together, where its column has room for that.
local function glued(cell, room)
  if not has_bracket(cell.plain) or cell.set:find('[#%[]') then return cell.set end
  return (cell.set:gsub(' (%b())([^%s]*)', function(bracket, marks)
    return ' ' .. (SURE * ems(bracket .. marks) <= room and bracket:gsub(' ', '~') or bracket) .. marks
  end))
end

-- The room of each column for text, in ems.
local function rooms(setting)
  local found = {}
  for index, width in ipairs(setting.widths) do
    local edge = (index == 1 or index == #setting.widths) and GUTTER / 2 or GUTTER
    found[index] = (width - edge) / setting.size
  end
  return found
end

local function set_cell(cell, room)
  local text = room and glued(cell, room) or cell.set
  return cell.kind == 'strong' and '#strong[' .. text .. ']' or text
end

local function rows_text(body, columns, setting)
  local out, room = {}, rooms(setting)
  for _, row in ipairs(body) do
    if row.group then
      out[#out + 1] = '  evidence-group(' .. columns .. ')[' .. set_cell(row[1]) .. '],'
    else
      local cells = {}
      for index, cell in ipairs(row) do cells[index] = '[' .. set_cell(cell, room[index]) .. ']' end
      out[#out + 1] = '  ' .. table.concat(cells, ', ') .. ','
    end
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

local function table_blocks(tbl, dense)
  local body = loosened(rows.of(tbl) or own_rows(tbl))
  local columns, lengths = measure_columns(tbl, body)
  local setting = choose(columns, lengths, dense)
  local heads = cell_texts(tbl.head.rows)
  local header = #tbl.head.rows > 0 and '(' .. row_text(heads, 0, #tbl.colspecs) .. ',)' or '()'
  local text = '#evidence-table(columns: ' .. points(setting.widths) .. ', align: ' .. alignments(tbl.colspecs)
    .. ', size: ' .. setting.size .. 'pt' .. (setting.most > WHOLE and ', whole: false' or '') .. (dense and ', dense: true' or '') .. ', header: ' .. header .. ',\n' .. rows_text(body, #tbl.colspecs, setting) .. '\n)'
  local attributes = { turned = tostring(setting.page == LANDSCAPE), narrow = setting.narrow and string.format('%.1fpt', setting.narrow) or 'false',
    tall = tostring(setting.height > TALL) }
  return pandoc.Div({ raw(text) }, pandoc.Attr('', { 'sized' }, attributes))
end

----- Blocks ------------------------------------------------------------------------------------------------------

local function wide(blocks, class) return pandoc.Div(blocks, pandoc.Attr('', { 'wide', class or 'upright' })) end

-- The lines that a caption or a note takes, and from them the height left for a drawing below and above them.
local TALLEST, PAGE = 581, 697

local function tallest(caption, note)
  local above, below = math.ceil(ems(caption) * 10 / PORTRAIT), math.ceil(ems(note) * 8 / PORTRAIT)
  return math.min(TALLEST, PAGE - 60 - above * 16 - below * 12)
end

-- Some more arguments for the drawings in a float, or for those after the first.
local function with_arguments(blocks, arguments, rest)
  local first = true
  return pandoc.Div(blocks):walk { RawInline = function(inline)
    local text = inline.text:match('^(#evidence%-image%(.*)%);$')
    if not text then return nil end
    local asked = not (rest and first)
    first = false
    return asked and raw_inline(text .. arguments .. ');') or nil
  end }.content
end

-- A drawing may be as tall as leaves its caption and its note on the same page.
local function limit(blocks, height)
  return height >= TALLEST and blocks or with_arguments(blocks, string.format(', tallest: %dpt', height))
end

-- A figure in several drawings breaks between them.
local function drawings(blocks)
  local count = 0
  pandoc.Div(blocks):walk { RawInline = function(inline)
    if inline.text:match('^#evidence%-image%(') then count = count + 1 end
  end }
  return count
end

local function float(div, dense)
  local caption, body = common.float_parts(div)
  local above, note = common.split_note(caption)
  local headline, rest = common.split_headline(above)
  local is, blocks, own = { turned = false, tall = false, narrow = false }, pandoc.Blocks {}, nil
  for _, block in ipairs(body) do
    if block.t == 'Div' and block.classes:includes('sized') then
      for name in pairs(is) do is[name] = block.attributes[name] == 'true' end
      is.narrow = block.attributes.narrow
      own = block.content[1]
      blocks:extend(block.content)
    else
      blocks:insert(block)
    end
  end
  is.tall = is.tall or drawings(blocks) > 1
  blocks = limit(blocks, tallest(stringify(above), stringify(note)))
  local number = div.attributes.number
  if number and drawings(blocks) > 1 then
    blocks = with_arguments(blocks, ', continues: ' .. quoted(number), true)
  end
  local drawing = div.attributes.kind == 'fig' and not own and drawings(blocks) == 1
  if drawing then blocks = with_arguments(blocks, ', scale: scale') end
  for position, block in ipairs(blocks) do
    if own and block == own then
      blocks[position] = raw((block.text:gsub('^#evidence%-table%(', '#evidence-table(below: below, ')))
    end
  end
  local call = '#evidence-float(kind: "' .. div.attributes.kind .. '", number: ' .. (number and quoted(number) or 'none')
    .. ', id: ' .. (div.identifier ~= '' and quoted(div.identifier) or 'none') .. ', turned: ' .. tostring(is.turned)
    .. ', tall: ' .. tostring(is.tall) .. ', narrow: ' .. tostring(is.narrow) .. (dense and ', dense: true' or '') .. ', floating: false' .. (drawing and ', drawing: true' or '') .. ',\n  caption: ' .. content(headline) .. ',\n  rest: ' .. content(rest) .. ',\n  note: ' .. content(note) .. ',\n  tail: none,\n  ' .. (own and 'below => [' or drawing and 'scale => [' or '[')
  local out = pandoc.Blocks { raw(call) }
  out:extend(blocks)
  out:insert(raw('])'))
  return wide(out, is.turned and 'turned')
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
  return wide({ raw('#evidence-heading(' .. element.level .. ', ' .. (number and quoted(number) or 'none') .. ', '
    .. quoted(anchor(scan, chapter, element.identifier)) .. (chapter.crowded and ', listed: false' or '') .. ')'
    .. content(element.content)) }, 'heading')
end

local function division(div, dense)
  if not common.visible(div, 'typst') then return {} end
  if div.classes:includes('float') and div.attributes.kind then return float(div, dense) end
  if div.classes:includes('answers') then
    local out = pandoc.Blocks { raw('#evidence-answers[') }
    out:extend(div.content)
    out:insert(raw(']'))
    return wide(out)
  end
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

-- The parts of an answer are the arguments of one call, in the order in which they are written.
local OPEN = { asked = '#evidence-answer([', risks = '[', told = '[', sure = '[' }
local CLOSE = { asked = '],', risks = '],', told = '],', sure = '])' }

local function answer_part(element)
  local name = element.classes[1]
  local share = name == 'risk' and (element.attributes.style or ''):match('^%-%-share: ([%d.]+)%%$')
  if name == 'joint' then return {} end
  local open = name == 'risk' and '#evidence-risk(' .. (share and share .. '%' or 'none') .. ')[' or OPEN[name]
  if not open then return nil end
  local first = element.content[1]
  if name == 'told' and first and first.t == 'Str' then first.text = first.text:gsub('^%l', string.upper) end
  element.content:insert(1, raw_inline(open))
  element.content:insert(raw_inline(name == 'risk' and '];' or CLOSE[name]))
  return element.content
end

local function span(scan, chapter, element)
  if element.classes:includes('note') then return nil end
  local part = answer_part(element)
  if part then return part end
  local id = element.identifier
  local number = id ~= '' and element.attributes.number
  if number then
    local out = pandoc.Inlines { raw_inline('#evidence-equation(' .. quoted(number) .. ', ' .. quoted(id) .. ')[') }
    out:extend(element.content)
    out:insert(raw_inline('];'))
    return out
  elseif id ~= '' then
    element.content:insert(1, raw_inline('#evidence-anchor(' .. quoted(anchor(scan, chapter, id)) .. ');'))
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
    Table = function(tbl) return table_blocks(tbl, chapter.crowded) end,
    Div = function(div) return division(div, chapter.crowded) end,
  }
end

-- A heading right before a turned table turns with it, or it would stay behind alone.
local function turn_heading(out, block)
  local heading = out[#out]
  if not block.classes:includes('turned') or not heading or not heading.text:match('^#evidence%-heading') then return end
  out:remove()
  local first = block.content[1]
  first.text = first.text:gsub('turned: true', function(match) return match .. ', lead: [' .. heading.text .. ']' end, 1)
  block.content[1] = first
end

-- A drawing that floats to the next page leaves less of it than Typst had counted on when it broke the block that
-- fills the page before: lines of that block may be lost, or the PDF's tags come apart ("parent group"). So what
-- follows a floating drawing is set in pieces that do not break, and before anything that must break the drawing is
-- put in its place.
local TAIL = 300   -- characters that stay with a table before them at the end of a chapter that is set close
local PIECE = 1200 -- characters that may stand in one piece

-- A drawing is made a little smaller where that keeps it on the page of what stands before it.
local function let_shrink(block)
  local first = block.content[1]
  first.text = first.text:gsub('^(#evidence%-float%([^\n]*drawing: )true', '%1"shrinks"', 1)
  block.content[1] = first
end

-- A drawing after prose may float, unless it ends the chapter; after a heading it would leave the heading behind.
local function let_float(block)
  local first = block.content[1]
  local drawing = block.classes:includes('upright') and first.text:match('^#evidence%-float%(kind: "fig"')
  if not drawing or first.text:match('tall: true') then return false end
  first.text = first.text:gsub('floating: false', 'floating: true', 1)
  block.content[1] = first
  let_shrink(block)
  return true
end

local breaks

-- Does what stands after a drawing fill the page that the drawing leaves?
local function filled(blocks, position)
  local following = blocks[position + 1]
  while following and following.t == 'RawBlock' and following.format ~= 'typst' do
    position = position + 1
    following = blocks[position + 1]
  end
  return following and not (following.t == 'Div' and following.classes:includes('wide') and breaks(following))
end

function breaks(block)
  if block.classes:includes('heading') then return false end
  local first = block.content[1].text or ''
  return not first:match('^#evidence%-float%(') or first:match('tall: true') or first:match('turned: true')
end

-- Prose is set to a comfortable measure; headings, figures and tables have the whole width.
local function measured(blocks, dense)
  local out, run, floating, last, headed = pandoc.Blocks {}, pandoc.Blocks {}, false, nil, true
  local function set(opening, content)
    out:insert(raw(opening))
    out:extend(content)
    out:insert(raw(']'))
  end
  local function land()
    if floating then out:insert(raw('#place.flush()')) end
    floating = false
  end
  local function flush(closing)
    local call = closing and dense and last and out[last]
    if call and #run > 0 and not floating and #stringify(run) < TAIL and call.text:find('  tail: none,\n', 1, true) then
      call.text = call.text:gsub('  tail: none,\n', function() return '  tail: [' .. typst(run) .. '],\n' end, 1)
    elseif #run > 0 and not floating then
      local kept = closing and #stringify(run) < CLOSING
      set(kept and '#evidence-prose(whole: true)[' or '#evidence-prose[', run)
    end
    run = pandoc.Blocks {}
  end
  for position, block in ipairs(blocks) do
    if block.t == 'Div' and block.classes:includes('wide') then
      local after_prose = #run > 0
      flush()
      if breaks(block) or block.classes:includes('heading') then land() end
      if after_prose and filled(blocks, position) and let_float(block) then floating = true
      elseif not (headed or floating) then let_shrink(block) end
      headed = block.classes:includes('heading')
      turn_heading(out, block)
      last = #out + 1
      out:extend(block.content)
    elseif not (block.t == 'RawBlock' and block.format ~= 'typst') then
      if floating and #stringify(block) >= PIECE then
        land()
        run = pandoc.Blocks {}
      end
      run:insert(block)
      headed = false
      if floating then set('#evidence-prose(piece: true)[', { block }) end
    end
  end
  flush(true)
  return out
end

local function optional(value) return value and value ~= '' and quoted(value) or 'none' end

local function chapter_opening(scan, chapter, before, sheet)
  local title = chapter.inlines:walk { Note = function() return {} end }
  local part = chapter.part
  if part == '' and chapter.appendix then part = 'Appendices' end
  return '#evidence-chapter(number: ' .. optional(chapter.number) .. ', part: ' .. optional(part) .. ', id: '
    .. quoted(chapter.id) .. (chapter.crowded and ', minor: true' or '') .. (sheet and ', sheet: true' or '')
    .. (before and before.part == chapter.part and ', opens: false' or '') .. ')' .. content(transform(scan, chapter, pandoc.Blocks { pandoc.Plain(title) })[1].content)
end

local function references(literature)
  local out = { '#evidence-chapter(number: none, part: none, id: "references")[References]' }
  for _, entry in ipairs(literature) do
    local blocks = transform({ index = {} }, { key = 'references', folder = '' }, entry.content)
    out[#out + 1] = '#evidence-reference(' .. quoted(entry.identifier) .. ')[' .. typst(blocks) .. ']'
  end
  return table.concat(out, '\n')
end

-- The sections of a part of many like chapters would drown the contents: there the chapters alone are listed.
local CROWD = 8

function paper.mark_crowded(chapters)
  local counts = {}
  for _, chapter in ipairs(chapters) do
    local part = common.whole_part(chapter.part)
    counts[part] = (counts[part] or 0) + 1
  end
  for _, chapter in ipairs(chapters) do
    chapter.crowded = chapter.part ~= '' and counts[common.whole_part(chapter.part)] > CROWD
  end
end

function paper.settle() rows.settle('typst', typst) end

-- A short chapter of prose alone is set on one page.
local SHEET = { 1500, 5500 } -- characters

local function is_sheet(chapter, blocks)
  if chapter.crowded or not chapter.prose then return false end
  local letters = 0
  pandoc.Div(blocks):walk { Str = function(element) letters = letters + #element.text + 1 end }
  return letters > SHEET[1] and letters < SHEET[2]
end

function paper.fragment(scan, position, doc)
  local chapters = scan.manifest.chapters
  local chapter = chapters[position]
  local sheet = is_sheet(chapter, doc.blocks)
  local body = typst(measured(transform(scan, chapter, doc.blocks), chapter.crowded))
  local setting = chapter.crowded and '#evidence-dense[\n' or sheet and '#evidence-sheet[\n'
  return chapter_opening(scan, chapter, chapters[position - 1], sheet) .. '\n\n' .. (setting and setting .. body .. '\n]' or body)
end

-- What stands before the chapters, and after them.
function paper.front()
  return '#import "/evidence-book.typ": *\n\n#show: evidence-book.with(json("/evidence-book.json"))'
end

function paper.back(literature) return #literature > 0 and references(literature) or '' end

return paper
