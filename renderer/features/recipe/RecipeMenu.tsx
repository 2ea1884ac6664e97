/** Owns the menu of the recipe as a file: save, load, copy, empty. */
import { BookOpen, ClipboardCopy, Ellipsis, FileDown, FileUp, Trash2 } from 'lucide-react';
import { useRef } from 'react';
import { recipeVersion } from '#shared/recipes/recipe.ts';
import { dispatch, useDocument } from '../../state/store.ts';
import { Button } from '../../ui/Button.tsx';
import { useText } from '../../ui/language.ts';
import { Popover } from '../../ui/Popover.tsx';
import { showNews } from '../../ui/toast.ts';
import { readyRecipes } from './ready-recipes.ts';
import { copyRecipe, loadRecipe, saveRecipe } from './recipe-file.ts';
import { words } from './words.ts';

export function RecipeMenu() {
  const say = useText();
  const picker = useRef<HTMLInputElement>(null);
  const empty = useDocument((d) => d.edit.steps.length === 0);
  const items = [
    { title: words.save, icon: <FileDown />, run: saveRecipe, needsSteps: true },
    { title: words.copy, icon: <ClipboardCopy />, run: () => void copyRecipe(), needsSteps: true },
    { title: words.load, icon: <FileUp />, run: () => picker.current?.click(), needsSteps: false },
    {
      title: words.clear,
      icon: <Trash2 />,
      run: () => dispatch({ type: 'recipe-replaced', recipe: { bantam: recipeVersion, steps: [] } }),
      needsSteps: true,
    },
  ];
  return (
    <>
      <Popover
        label={say(words.menu)}
        trigger={({ open, toggle }) => (
          <Button
            small
            look="quiet"
            icon={<Ellipsis />}
            label={say(words.menu)}
            aria-expanded={open}
            onClick={toggle}
          />
        )}
      >
        {(close) => (
          <div className="menu recipe-menu">
            {items.map((item) => (
              <button
                key={item.title.en}
                type="button"
                className="menu-item"
                disabled={item.needsSteps && empty}
                onClick={() => {
                  close();
                  item.run();
                }}
              >
                {item.icon}
                <span className="grow">{say(item.title)}</span>
              </button>
            ))}
            {readyRecipes.map((ready) => (
              <button
                key={ready.title.en}
                type="button"
                className="menu-item"
                title={say(ready.note)}
                onClick={() => {
                  close();
                  dispatch({ type: 'recipe-replaced', recipe: ready.recipe() });
                  showNews(words.loaded);
                }}
              >
                <BookOpen />
                <span className="grow">{say(ready.title)}</span>
              </button>
            ))}
          </div>
        )}
      </Popover>
      <input
        ref={picker}
        id="load-recipe"
        type="file"
        accept=".json,application/json"
        hidden
        aria-label={say(words.load)}
        onChange={(e) => {
          const file = e.currentTarget.files?.[0];
          e.currentTarget.value = '';
          if (file !== undefined) void loadRecipe(file);
        }}
      />
    </>
  );
}
