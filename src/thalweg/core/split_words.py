"""How languages other than English call the parts of a split, in the names of folders, tables and logs alike."""

from collections.abc import Mapping
from types import MappingProxyType

from thalweg.core.dataset import Part

__all__ = ["SPLIT_WORDS"]

SPLIT_WORDS: Mapping[str, Part] = MappingProxyType({
    **dict.fromkeys(("entraînement", "entrainement", "entrenamiento", "treino", "addestramento", "обучение"), "train"),
    **dict.fromkeys(("训练", "訓練", "学習", "آموزش"), "train"),
    **dict.fromkeys(("validierung", "validación", "validacion", "validação", "validacao", "validazione"), "validation"),
    **dict.fromkeys(("валидация", "验证", "検証", "اعتبارسنجی"), "validation"),
    **dict.fromkeys(("测试", "テスト", "آزمون"), "test"),
    **dict.fromkeys(("학습", "훈련", "eğitim", "навчання", "pelatihan", "التدريب", "تدريب"), "train"),
    **dict.fromkeys(("검증", "doğrulama", "валідація", "validasi", "التحقق", "تحقق", "validatie"), "validation"),
    **dict.fromkeys(("테스트", "시험", "pengujian", "الاختبار", "اختبار"), "test"),
})
"""Single words, in small letters."""
