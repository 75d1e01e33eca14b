// SurveyJS as its manual says: the site's own code knows when a survey is due.

import { Model } from 'survey-core';
import { renderPopupSurvey } from 'survey-js-ui';
import 'survey-core/survey-core.fontless.min.css';

if (location.pathname.endsWith('/due.html')) {
  const model = new Model({
    title: 'Feedback',
    elements: [{
      type: 'rating', name: 'score', rateMin: 0, rateMax: 10,
      displayMode: 'buttons', title: 'How likely are you to recommend us?',
      minRateDescription: 'Not at all', maxRateDescription: 'Extremely'
    }, {
      type: 'comment', name: 'why', title: 'Why?',
      visibleIf: '{score} notempty'
    }]
  });

  renderPopupSurvey(model, document.getElementById('survey'),
                    { isExpanded: true });
}
